package runtime

import (
	"github.com/wsgen/wsgen/runtime/cluster"
	wire "github.com/wsgen/wsgen/runtime/internal/mesh"
	"github.com/wsgen/wsgen/runtime/internal/socket"
)

// nodeOutlet is a room's members on another node.
type nodeOutlet struct {
	mesh       *mesh
	peer       cluster.Peer
	room       *Room
	nBase, nV1 int
}

func (o *nodeOutlet) key() any { return o.peer }

func (o *nodeOutlet) count(c *Conn, n int) {
	if c.v1 {
		o.nV1 += n
	} else {
		o.nBase += n
	}
}

// frame returns a frame of the room.
func (o *nodeOutlet) frame(kind wire.Kind) *wire.Frame {
	return &wire.Frame{Kind: kind, Slot: uint64(o.room.shard.id), Epoch: o.room.epoch, Topic: o.room.topic}
}

// join tells the gateway and the client in one frame: it counts for both, or for neither.
func (o *nodeOutlet) join(c *Conn, w welcome) {
	o.count(c, 1)
	if w.known { // and may have taken it off since
		return
	}
	f := o.frame(wire.Joined)
	f.Conn, f.Position, f.Seq, f.Count = c.id, o.room.numbering(), o.room.seq, w.seq
	if w.frame != nil {
		f.Frame = o.payload(f, w.frame)
	}
	o.mesh.tell(o.peer, f)
}

func (o *nodeOutlet) leave(c *Conn, farewell *socket.Frame) {
	o.count(c, -1)
	if c.ended() { // its gateway knows, or has named it again since
		return
	}
	f := o.frame(wire.Left)
	f.Conn = c.id
	if farewell != nil {
		f.Frame = o.payload(f, farewell)
	}
	o.mesh.tell(o.peer, f)
}

func (o *nodeOutlet) publish(p *publication) {
	f := o.frame(wire.Cast)
	f.Seq = p.seq
	if o.nBase > 0 && !p.v1Only {
		f.Frame = o.payload(f, p.baseFrame())
	}
	if o.nV1 > 0 {
		f.V1 = o.payload(f, p.v1Frame())
	}
	if f.Frame == nil && f.V1 == nil {
		return
	}
	if p.v1Only {
		f.Flags = wire.V1Only
	}
	if p.except != nil && p.except.remote != nil && p.except.remote.peer == o.peer {
		f.Except = p.except.id
	}
	o.mesh.tell(o.peer, f)
}

// payload returns the message of a socket's frame, and notes its class.
func (o *nodeOutlet) payload(f *wire.Frame, frame *socket.Frame) []byte {
	class, key := frame.Class()
	f.Class, f.Key = uint64(class), key
	return frame.Payload()
}
