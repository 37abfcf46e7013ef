//go:build unix

package socket

import (
	"errors"
	"syscall"
)

// nonblocking says that writeFD can be used.
const nonblocking = true

// writeFD writes once. Go's sockets are non-blocking, so it returns EAGAIN rather than wait.
func writeFD(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

func wouldBlock(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK)
}
