//go:build !linux

package cli

import "os/exec"

// ownGroup does nothing here: the child gets the terminal's Ctrl-C itself, and is told by us too, which changes nothing.
func ownGroup(*exec.Cmd) {}
