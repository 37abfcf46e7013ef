package main

import "testing"

// TestBugsApply plants all bugs into the sources as they are.
func TestBugsApply(t *testing.T) {
	for _, b := range bugs {
		if _, err := b.sources("..", t.TempDir()); err != nil {
			t.Error(err)
		}
	}
}
