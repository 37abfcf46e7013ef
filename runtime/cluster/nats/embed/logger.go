package embed

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// sayAgain is the time after which the same is said again: a server that is gone is looked for several times a second.
const sayAgain = 10 * time.Second

// logger passes on what the server logs. It is safe for concurrent use.
type logger struct {
	to *slog.Logger

	mu   sync.Mutex
	said map[string]time.Time // by kind: a few dozen
}

func newLogger(to *slog.Logger) *logger { return &logger{to: to, said: make(map[string]time.Time)} }

// news reports whether something of this kind was not said for a while. The format is what a kind has in common; one that is nothing but
// a value says nothing about it, and the server has bounded most of those itself.
func (l *logger) news(format string) bool {
	if format == "%s" || format == "%v" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.said[format]; ok && now.Sub(last) < sayAgain {
		return false
	}
	l.said[format] = now
	return true
}

// Noticef logs at the level of debugging: this is a part of a program, which has its own to say.
func (l *logger) Noticef(format string, v ...any) { l.to.Debug(fmt.Sprintf(format, v...)) }

// Warnf logs a warning, one of a kind every ten seconds at most.
func (l *logger) Warnf(format string, v ...any) {
	if l.news(format) {
		l.to.Warn(fmt.Sprintf(format, v...))
	}
}

// Errorf logs an error, as Warnf.
func (l *logger) Errorf(format string, v ...any) {
	if l.news(format) {
		l.to.Error(fmt.Sprintf(format, v...))
	}
}

// Fatalf logs an error.
func (l *logger) Fatalf(format string, v ...any) { l.to.Error(fmt.Sprintf(format, v...)) }

// Debugf does nothing.
func (l *logger) Debugf(string, ...any) {}

// Tracef does nothing.
func (l *logger) Tracef(string, ...any) {}
