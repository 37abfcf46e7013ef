//go:build unix

package socket

// Writing to a descriptor without waiting, and waiting for it without a buffer, where the system has them.

import (
	"net"
	"syscall"
)

// rawWriter writes to a connection's descriptor, and reads from it. The callbacks are made once, as they would escape on every
// call.
type rawWriter struct {
	conn  syscall.RawConn
	buf   []byte
	n     int
	err   error
	write func(fd uintptr)

	ahead  *[4 << 10]byte
	aheadN int
	read   func(fd uintptr) bool
}

// init returns false for anything but the connections of package net themselves: a type around one of them may well offer its
// descriptor, and yet do more in Write than write.
func (w *rawWriter) init(conn net.Conn) bool {
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		w.conn, err = c.SyscallConn()
	case *net.UnixConn:
		w.conn, err = c.SyscallConn()
	default:
		return false
	}
	if err != nil {
		return false
	}
	w.write = func(fd uintptr) { w.n, w.err = writeFD(int(fd), w.buf) }
	w.read = func(fd uintptr) bool {
		buf := aheads.Get().(*[4 << 10]byte)
		n, err := readFD(int(fd), buf[:])
		if n > 0 {
			w.ahead, w.aheadN = buf, n
			return true
		}
		aheads.Put(buf)
		return !wouldBlock(err) // the end, or a fault, is found again by the next read
	}
	return true
}

// readAhead implements waitReader.
func (w *rawWriter) readAhead() (*[4 << 10]byte, int) {
	w.ahead = nil
	_ = w.conn.Read(w.read)
	buf := w.ahead
	w.ahead = nil
	return buf, w.aheadN
}

// Errors of system calls are compared as they are: errors.Is asks them more than once, for every message.

func wouldBlock(err error) bool { return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK }

// readFD reads once.
func readFD(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// TryWrite implements TryWriter.
func (w *rawWriter) TryWrite(p []byte) (int, error) {
	w.buf, w.n, w.err = p, 0, nil
	err := w.conn.Control(w.write) // Write would prepare to wait
	w.buf = nil
	if err == nil {
		err = w.err
	}
	if wouldBlock(err) {
		err = nil
	}
	return w.n, err
}

// writeFD writes once. Go's sockets are non-blocking, so it returns EAGAIN rather than wait.
func writeFD(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Write(fd, p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
