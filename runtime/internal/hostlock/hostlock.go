// Package hostlock locks files for as long as a process runs.
package hostlock

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
)

// Lock is a file that this process has locked. Nil is no lock.
type Lock struct {
	file *os.File
	name string // identifies the file among those of all hosts
}

// ErrLocked says that another process of this host has locked the file, and runs.
var ErrLocked = errors.New("another process of this host has locked it: give each one its own")

// ID returns what identifies the lock; empty for none.
func (l *Lock) ID() string {
	if l == nil {
		return ""
	}
	return l.name
}

// Same reports whether the holder of a lock with an id must have ended, because this process has its lock now.
func (l *Lock) Same(id string) bool { return l != nil && id != "" && l.name == id }

// Release unlocks the file.
func (l *Lock) Release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}

// Take locks a file, which is made if it is not there. It returns ErrLocked when another process has done so, and errors.ErrUnsupported
// where files cannot be locked.
func Take(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	identity, err := lockFile(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// The start of the kernel, which is unique, tells hosts apart, and the same host before and after it was started anew.
	started, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(strings.Join([]string{string(started), host, identity}, "\x00")))
	return &Lock{f, hex.EncodeToString(sum[:16])}, nil
}
