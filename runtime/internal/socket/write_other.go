//go:build !unix

package socket

import "net"

// newRawWriter returns nil: a goroutine writes while something waits.
func newRawWriter(net.Conn) TryWriter { return nil }
