package filestore_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wsgen/wsgen/runtime/filestore"
)

// topics are names that a client may choose.
var topics = []string{"room:a", "room:A", "room:../../etc/passwd", "room:" + strings.Repeat("ü", 500), "room:a/b", "match:a", "room:\x00", "room:con"}

func TestKeepsWhatWasSaved(t *testing.T) {
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "of", "this", "[rooms]")
	s, err := filestore.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if data, err := s.Load(ctx, topic); data != nil || err != nil {
			t.Errorf("%q: %q, %v", topic, data, err)
		}
		for _, text := range []string{"first", topic} {
			if err := s.Save(ctx, topic, []byte(text)); err != nil {
				t.Fatalf("%q: %v", topic, err)
			}
		}
	}
	again, err := filestore.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if data, err := again.Load(ctx, topic); string(data) != topic || err != nil {
			t.Errorf("%q: got %q, %v", topic, data, err)
		}
		for range 2 {
			if err := again.Delete(ctx, topic); err != nil {
				t.Error(err)
			}
		}
		if data, err := again.Load(ctx, topic); data != nil || err != nil {
			t.Errorf("%q: %q, %v", topic, data, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestWholeOrNotAtAll reads while others write: a snapshot is one of those that were saved.
func TestWholeOrNotAtAll(t *testing.T) {
	s, err := filestore.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 50_000)}
	if err := s.Save(t.Context(), "room:a", want[0]); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 50 {
			if err := s.Save(t.Context(), "room:a", want[i%2]); err != nil {
				t.Error(err)
			}
		}
	})
	for range 200 {
		if data, err := s.Load(t.Context(), "room:a"); err != nil || !bytes.Equal(data, want[0]) && !bytes.Equal(data, want[1]) {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
	}
	wg.Wait()
}

// TestManyAtOnce saves and deletes as a server does that drains. When the folder is gone, all are told.
func TestManyAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rooms")
	s, err := filestore.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := func(save func(topic string) error) (failed int64) {
		var wg sync.WaitGroup
		var n atomic.Int64
		for i := range 50 {
			wg.Go(func() {
				if save(fmt.Sprint("room:", i)) != nil {
					n.Add(1)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	save := func(topic string) error { return s.Save(t.Context(), topic, []byte(topic)) }
	if n := all(save); n != 0 {
		t.Errorf("%d could not be saved", n)
	}
	if n := all(func(topic string) error {
		if data, err := s.Load(t.Context(), topic); err != nil || string(data) != topic {
			t.Errorf("%s: %q, %v", topic, data, err)
		}
		return s.Delete(t.Context(), topic)
	}); n != 0 {
		t.Errorf("%d could not be deleted", n)
	}
	if err := os.Remove(dir); err != nil { // it is empty
		t.Error(err)
	}
	if n := all(save); n != 50 {
		t.Errorf("%d of 50 are told that they could not be saved", n)
	}
}

func TestForgetsWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, "abc.snapshot.tmp123")
	for _, name := range []string{half, filepath.Join(dir, "notes.txt")} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := filestore.New(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 || left[0].Name() != "notes.txt" {
		t.Errorf("got %v", left)
	}
	if _, err := filestore.New(filepath.Join(dir, "notes.txt")); err == nil {
		t.Error("a file is no folder")
	}
}
