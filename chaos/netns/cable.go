package netns

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wsgen/wsgen/chaos/link"
)

// Cable connects two hosts. It is safe for concurrent use.
type Cable struct {
	late bool // the kernel can delay packets

	mu   sync.Mutex
	ends [2]end
}

// end is one end of a cable.
type end struct {
	host *Host
	link netlink.Link
	ip   net.IP
}

// plug gives an end its address.
func (e *end) plug(h *Host, name string, ip net.IP) error {
	var err error
	if e.link, err = h.handle.LinkByName(name); err != nil {
		return err
	}
	e.host, e.ip = h, ip
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(30, 32)}}
	return errors.Join(h.handle.AddrAdd(e.link, addr), h.handle.LinkSetUp(e.link))
}

// IP returns the address under which the first host reaches the second one.
func (c *Cable) IP() net.IP { return c.ends[1].ip }

// Set replaces what is wrong. Up is the way from the first host to the second one, Down the other one: what is sent is lost, and sent
// again by whoever misses an answer. Break pulls the cable out, which its hosts notice. Where the kernel has no means to delay packets
// a slow cable takes the place of a late one. Only and Old are not for cables.
func (c *Cable) Set(f link.Fault) error {
	if f.Only != "" || f.Old {
		return errors.New("a cable cannot tell connections apart")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for i := range c.ends {
		e := &c.ends[i]
		if f.Break {
			errs = append(errs, e.host.handle.LinkSetDown(e.link))
			continue
		}
		lost := i == 0 && f.Up || i == 1 && f.Down
		errs = append(errs, e.set(lost, f.Delay, f.Rate, c.late), e.host.handle.LinkSetUp(e.link))
	}
	return errors.Join(errs...)
}

// slowRate is the rate of a cable that should be late, where the kernel has no means for that.
const slowRate = 200_000

// set does something to what leaves the host through an end.
func (e *end) set(lost bool, delay time.Duration, rate int, late bool) error {
	if delay > 0 && !late {
		delay, rate = 0, slowRate
	}
	switch {
	case lost:
		return e.lose()
	case delay > 0:
		return e.delay(delay)
	case rate > 0:
		return e.limit(rate)
	default:
		return e.mend()
	}
}

// attrs are those of what stands before an end.
func (e *end) attrs() netlink.QdiscAttrs {
	return netlink.QdiscAttrs{LinkIndex: e.link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
}

// lose loses all packets.
func (e *end) lose() error {
	return e.replace(&netlink.GenericQdisc{QdiscAttrs: e.attrs(), QdiscType: "blackhole"})
}

// delay lets packets wait.
func (e *end) delay(d time.Duration) error {
	return e.replace(netlink.NewNetem(e.attrs(), netlink.NetemQdiscAttrs{Latency: uint32(d.Microseconds()), Limit: 100_000}))
}

const (
	// burst is how many bytes pass at once through a cable with a limit: a packet must.
	burst = 64 << 10
	// waiting is how many bytes wait before the others are lost.
	waiting = 1 << 20
)

// limit lets so many bytes through in a second.
func (e *end) limit(rate int) error {
	ticks := float64(burst) / float64(rate) * 1e6 * netlink.TickInUsec()
	return e.replace(&netlink.Tbf{QdiscAttrs: e.attrs(), Rate: uint64(rate), Limit: waiting, Buffer: uint32(ticks)})
}

// replace removes what stands before an end, and puts something else there: some kinds cannot be changed into others.
func (e *end) replace(q netlink.Qdisc) error {
	if err := e.mend(); err != nil {
		return err
	}
	return e.host.handle.QdiscAdd(q)
}

// mend removes what stands before an end.
func (e *end) mend() error {
	err := e.host.handle.QdiscDel(&netlink.GenericQdisc{QdiscAttrs: e.attrs(), QdiscType: ""})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return nil // there is nothing
	}
	return err
}
