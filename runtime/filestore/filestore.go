// Package filestore keeps the snapshots of rooms in files, for a server on one machine.
//
//	store, err := filestore.New("/var/lib/chat/rooms")
//	srv, err := chat.NewServer(chat.Config{Options: wsrt.Options{Store: store}, …})
package filestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	wsrt "github.com/wsgen/wsgen/runtime"
)

// Store is a folder with a file for each topic. Its methods are safe for concurrent use, for different topics; one process
// may use a folder at a time. A snapshot is either the old one or the new one, whenever the machine stops.
type Store struct {
	dir string

	turn sync.Mutex // of the one that syncs
	mu   sync.Mutex
	next *syncing // what those who come now wait for; nil: nobody waits
}

// syncing is one sync of the folder, which serves all who wait for it: a server that drains saves all its rooms at once.
type syncing struct {
	done chan struct{}
	err  error
}

var _ wsrt.Store = (*Store)(nil)

// suffix ends the names of snapshots; other files of the folder are not touched, except for what a crash left behind.
const suffix, temporary = ".snapshot", ".tmp"

// New returns a store in a folder, which is made if it is not there. It removes unfinished files that a crash has left. The
// error says what is wrong with the folder.
func New(dir string) (*Store, error) {
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("filestore: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*"+suffix+temporary+"*"))
	if err != nil {
		return nil, fmt.Errorf("filestore: %w", err)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("filestore: %w", err)
		}
	}
	return &Store{dir: dir}, nil
}

// makeDir makes a folder, and those above it, so that they outlive the machine's next stop.
func makeDir(dir string) error {
	var changed []string // folders that get an entry
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		changed = append(changed, filepath.Dir(at))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, above := range changed {
		if err := syncDir(above); err != nil && !errors.Is(err, fs.ErrPermission) { // one may write to a folder that one may not read
			return err
		}
	}
	return nil
}

// escapeGlob returns a pattern that matches dir alone.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// path returns the file of a topic. Topics are chosen by clients, and may be anything; a hash of them is a name that every
// file system takes and tells from others.
func (s *Store) path(topic string) string {
	sum := sha256.Sum256([]byte(topic))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:])+suffix)
}

// Load returns the snapshot of a topic; nil when there is none.
func (s *Store) Load(_ context.Context, topic string) ([]byte, error) {
	data, err := os.ReadFile(s.path(topic))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Save writes a snapshot and returns once it is on the disk.
func (s *Store) Save(_ context.Context, topic string, snapshot []byte) (err error) {
	path := s.path(topic)
	f, err := os.CreateTemp(s.dir, filepath.Base(path)+temporary+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(snapshot)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return s.sync()
}

// Delete removes the snapshot of a topic, if there is one.
func (s *Store) Delete(_ context.Context, topic string) error {
	err := os.Remove(s.path(topic))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.sync()
}

// sync makes what was renamed or removed last: the names of files are the folder's content. A sync that is under way may have come too
// early for that, the one behind it does not.
func (s *Store) sync() error {
	s.mu.Lock()
	mine := s.next
	first := mine == nil
	if first {
		mine = &syncing{done: make(chan struct{})}
		s.next = mine
	}
	s.mu.Unlock()
	if !first {
		<-mine.done
		return mine.err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	s.next = nil // who comes from here on waits for the next one
	s.mu.Unlock()
	mine.err = syncDir(s.dir)
	close(mine.done)
	return mine.err
}

func syncDir(name string) error {
	if runtime.GOOS == "windows" { // which has no such call, and needs none: NTFS keeps a journal of names
		return nil
	}
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	err = dir.Sync()
	return errors.Join(err, dir.Close())
}
