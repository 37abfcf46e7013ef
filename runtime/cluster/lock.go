package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
)

// hostLock is a file that a process has locked while it runs. Nil is no lock.
type hostLock struct {
	file *os.File
	name string // identifies the file among those of all hosts
}

// errLocked says that another process runs.
var errLocked = errors.New("another process of this host has locked it: give each node a file of its own")

// id returns what identifies the lock; empty for none.
func (l *hostLock) id() string {
	if l == nil {
		return ""
	}
	return l.name
}

// same reports whether the holder of a lock with an id must have ended, because this process has its lock now.
func (l *hostLock) same(id string) bool { return l != nil && id != "" && l.name == id }

// release unlocks the file.
func (l *hostLock) release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}

// lockHost locks a file, which is made if it is not there.
func lockHost(path string) (*hostLock, error) {
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
	return &hostLock{f, hex.EncodeToString(sum[:16])}, nil
}
