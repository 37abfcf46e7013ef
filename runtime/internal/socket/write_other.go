//go:build !unix

package socket

import "errors"

// nonblocking says that writeFD can be used. Elsewhere a goroutine writes while something waits.
const nonblocking = false

func writeFD(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func wouldBlock(error) bool { return false }
