// Package trace writes down what nodes and clients of a run do, by a clock that all processes of the machine share.
package trace

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// Now returns the nanoseconds since the machine started.
func Now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err) // every Linux has it
	}
	return ts.Nano()
}

// File is a trace on the disk, to which several processes may append. Nothing that was added is lost when the process is killed. It
// is safe for concurrent use.
type File struct{ f *os.File }

// Open opens a trace; it is made if it is not there.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Add writes a record, with the present time if it has none. A trace that cannot be written is worth nothing: it ends the process.
func (f *File) Add(r clustercheck.Record) {
	if r.At == 0 {
		r.At = Now()
	}
	if err := clustercheck.Write(f.f, r); err != nil {
		fmt.Fprintln(os.Stderr, "trace:", err)
		os.Exit(3)
	}
}

// Log is a trace in memory. It is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	records []clustercheck.Record
}

// Add keeps a record, with the present time if it has none.
func (l *Log) Add(r clustercheck.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.At == 0 {
		r.At = Now() // under the lock: the order in the log is the one of the times
	}
	l.records = append(l.records, r)
}

// Records returns what was added.
func (l *Log) Records() []clustercheck.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[:len(l.records):len(l.records)]
}
