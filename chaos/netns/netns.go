// Package netns makes a network of namespaces on this machine: hosts, and cables between two of them. What is wrong with a cable is wrong
// as it is between machines: packets are lost without a word, and sent again by the kernel that sent them.
//
// A process that makes one must be in namespaces of its own, which it is when it was started with Attr. They end with it.
package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Attr starts a process in a network without cables, in which it may do what it likes. No rights are needed where the system lets everybody
// have namespaces. It is killed with the thread that has started it.
func Attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
}

// Network is a set of hosts. Its methods, and those of its hosts and cables, must not be called at the same time, except Cable.Set and
// Host.Do.
type Network struct {
	Root *Host // this process

	hosts  []*Host
	cables []*Cable
	late   bool // the kernel can delay packets
}

// New makes the network of this process, and tries it: an error says what the system does not allow.
func New() (*Network, error) {
	root := &Host{}
	if err := root.enter(); err != nil {
		return nil, err
	}
	n := &Network{Root: root, hosts: []*Host{root}}
	h, err := n.Host()
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	c, err := n.Connect(root, h)
	if err == nil {
		err = errors.Join(c.ends[0].lose(), c.ends[1].limit(slowRate))
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.late = c.ends[1].delay(1) == nil
	return n, nil
}

// Close takes the cables away, and ends all hosts but this process. What runs there should have ended.
func (n *Network) Close() error {
	var errs []error
	for _, c := range n.cables {
		errs = append(errs, c.ends[0].host.handle.LinkDel(c.ends[0].link))
	}
	for _, h := range n.hosts {
		if h.jobs != nil {
			close(h.jobs)
		}
		if h.handle != nil {
			h.handle.Close()
		}
		errs = append(errs, h.ns.Close())
	}
	n.hosts, n.cables = nil, nil
	return errors.Join(errs...)
}

// Host is a machine, as far as the network goes.
type Host struct {
	jobs   chan func()
	handle *netlink.Handle
	ns     netns.NsHandle
}

// Host adds a host. A thread is there as long as the network, because a namespace is one of threads.
func (n *Network) Host() (*Host, error) {
	h := &Host{jobs: make(chan func())}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this function
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = h.enter()
		}
		started <- err
		for job := range h.jobs {
			job()
		}
	}()
	if err := <-started; err != nil {
		close(h.jobs)
		return nil, fmt.Errorf("a namespace: %w", err)
	}
	n.hosts = append(n.hosts, h)
	return h, nil
}

// enter makes the host that of the calling thread.
func (h *Host) enter() error {
	var err error
	if h.ns, err = netns.Get(); err != nil {
		return err
	}
	if h.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return err
	}
	lo, err := h.handle.LinkByName("lo")
	if err != nil {
		return err
	}
	return h.handle.LinkSetUp(lo)
}

// Do runs f on a thread of the host, and returns when it has: a process that f starts is there. It must not be called with
// Network.Root.
func (h *Host) Do(f func()) {
	done := make(chan struct{})
	h.jobs <- func() {
		defer close(done)
		f()
	}
	<-done
}

// Connect lays a cable between two hosts. There may be several.
func (n *Network) Connect(a, b *Host) (*Cable, error) {
	k := len(n.cables)
	name := fmt.Sprint("cable", k)
	pair := netlink.NewVeth(netlink.LinkAttrs{Name: name, TxQLen: 1000, Namespace: netlink.NsFd(a.ns)})
	pair.PeerName, pair.PeerNamespace = name, netlink.NsFd(b.ns)
	if err := n.Root.handle.LinkAdd(pair); err != nil {
		return nil, fmt.Errorf("a cable: %w", err)
	}
	c := &Cable{late: n.late}
	for i, h := range []*Host{a, b} {
		ip := net.IPv4(10, byte(200+k>>14), byte(k>>6), byte(k<<2+i+1))
		if err := c.ends[i].plug(h, name, ip); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	n.cables = append(n.cables, c)
	return c, nil
}
