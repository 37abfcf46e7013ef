//go:build !unix

package socket

import "net"

// rawWriter is no TryWriter here: a goroutine writes while something waits.
type rawWriter struct{ TryWriter }

func (*rawWriter) init(net.Conn) bool { return false }
