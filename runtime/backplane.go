package runtime

import (
	"context"
	"errors"

	"github.com/wsgen/wsgen/runtime/internal/hub"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// backplane is what lies between the connections of a gateway and the owners of rooms. In one process both are here; over
// a network a message is forwarded to the node that owns its shard, and a room's outlets are the nodes with members.
type backplane interface {
	// forward hands a message to the owner of its topic. An error is an *Error for the sender; the message has not been
	// handled then.
	forward(in *inbound) error
	// resume hands a client that comes back to the owner of its topic. An error is for the client, and no room has seen it.
	resume(m *returning) error
	// publish sends to the members of a topic from outside of its room, and returns how many it was queued for.
	publish(ctx context.Context, topic string, t *MessageType, v any) (delivered int, err error)
	// gateway names the outlet that reaches a connection, and makes it.
	gateway(r *Room, c *Conn) (key any, open func() outlet)
}

// outlet takes a room's ordered events to those of its members that one gateway holds. Events of one room keep their
// order on it, and what is sent to a connection keeps its order with them.
type outlet interface {
	key() any
	// join adds a member, and sends it what tells it so.
	join(c *Conn, w welcome)
	// leave takes one off; farewell is for it, and may be nil.
	leave(c *Conn, farewell *socket.Frame)
	publish(p *publication)
}

// local is the backplane of a single process. Its gateways are the hubs.
type local struct{ srv *Server }

func (l *local) forward(in *inbound) error {
	return l.srv.shards[l.srv.Shard(in.topic)].post(in)
}

func (l *local) resume(m *returning) error {
	return l.srv.shards[l.srv.Shard(m.topic)].resume(m.kind, m.topic, m)
}

func (l *local) publish(_ context.Context, topic string, t *MessageType, v any) (int, error) {
	n, err := l.srv.shards[l.srv.Shard(topic)].room(topic).relay(t, v)
	if errors.Is(err, errLater) { // it is not open yet, or not any more
		return 0, nil
	}
	return n, err
}

func (l *local) gateway(_ *Room, c *Conn) (any, func() outlet) {
	h := c.member.Hub()
	return h, func() outlet { return newHubOutlet(h) }
}

func newHubOutlet(h *hub.Hub) *hubOutlet {
	return &hubOutlet{hub: h, base: h.NewGroup(), v1: h.NewGroup()}
}

// hubOutlet is a room's members on one hub. The profiles have groups of their own, because their frames differ.
type hubOutlet struct {
	hub        *hub.Hub
	base, v1   *hub.Group
	nBase, nV1 int
}

func (o *hubOutlet) key() any { return o.hub }

func (o *hubOutlet) of(c *Conn) (*hub.Group, *int) {
	if c.v1 {
		return o.v1, &o.nV1
	}
	return o.base, &o.nBase
}

func (o *hubOutlet) join(c *Conn, w welcome) {
	g, n := o.of(c)
	*n++
	g.Join(c.member)
	if w.frame != nil {
		c.send(w.frame)
	}
}

func (o *hubOutlet) leave(c *Conn, farewell *socket.Frame) {
	g, n := o.of(c)
	*n--
	g.Leave(c.member)
	if farewell != nil {
		c.send(farewell)
	}
}

func (o *hubOutlet) publish(p *publication) {
	var except *hub.Member
	if p.except != nil {
		except = p.except.member
	}
	if o.nBase > 0 && !p.v1Only {
		o.base.Publish(p.baseFrame(), except)
	}
	if o.nV1 > 0 {
		o.v1.Publish(p.v1Frame(), except)
	}
}
