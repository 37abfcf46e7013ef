// Package lobby is what the chat does: who is let in, and what happens in a room.
package lobby

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	wsrt "github.com/wsgen/wsgen/runtime"

	"github.com/wsgen/wsgen/examples/chat/chat"
)

// keep is how many messages a room remembers.
const keep = 1000

// lobby is one room. Its methods never run at the same time, so its fields need no lock.
type lobby struct {
	room     *chat.Room
	messages []chat.ChatMessage // the last ones, the oldest first
	next     uint32             // id of the next message
	tabs     map[string]int     // connections of each user that is here
	back     map[string]bool    // users who are expected back: their last connection broke off
}

// lost is how long somebody whose connection broke off is expected back, before the others are told that they left.
const lost = 2 * time.Second

// Open makes the room of a topic when its first message comes.
func Open(_ context.Context, r *chat.Room) (chat.RoomHandler, error) {
	return &lobby{room: r, next: 1, tabs: make(map[string]int), back: make(map[string]bool)}, nil
}

// JoinRoom lets a connection in, and out of the room that it was in before.
func (l *lobby) JoinRoom(_ context.Context, c *chat.Conn, _ *chat.JoinRoom) error {
	if l.room.Has(c) {
		l.leaveOthers(c)
		return nil
	}
	if err := l.room.Join(c); err != nil {
		return err
	}
	l.leaveOthers(c)
	return l.arrived(c)
}

// leaveOthers lets a member go from the rooms that it was in before. Another room may be letting the same connection in right
// now: each leaves only what was joined before itself, so that one room remains.
func (l *lobby) leaveOthers(c *chat.Conn) {
	topics := c.Topics()
	for _, topic := range topics[:max(0, slices.Index(topics, l.room.Topic()))] {
		c.Leave(topic)
	}
}

// LeaveRoom lets a connection go.
func (l *lobby) LeaveRoom(_ context.Context, c *chat.Conn, _ *chat.LeaveRoom) error {
	if err := l.mustBeIn(c); err != nil {
		return err
	}
	l.room.Leave(c)
	return l.left(c)
}

// OnLeave is called for a connection that ended, or that went on to another room.
func (l *lobby) OnLeave(_ context.Context, c *chat.Conn, cause wsrt.LeaveCause) {
	if cause != wsrt.Disconnected {
		_ = l.left(c) // the text fits the schema
		return
	}
	user := c.UserID()
	if l.tabs[user] > 1 {
		l.tabs[user]--
		return
	}
	l.back[user] = true
	l.room.After(lost, func() {
		if l.back[user] {
			delete(l.back, user)
			_ = l.left(c)
		}
	})
}

// OnResume is called for a connection that takes the place of one that broke off.
func (l *lobby) OnResume(_ context.Context, c *chat.Conn) error {
	l.returned(c.UserID())
	// It may have gone on to another room before this one had it back. That one counts then.
	l.room.After(0, func() {
		if slices.Index(c.Topics(), l.room.Topic()) > 0 {
			l.room.Leave(c)
			_ = l.left(c)
		}
	})
	return nil
}

// returned counts a connection of somebody, and reports whether the others think that they are here.
func (l *lobby) returned(user string) bool {
	if l.back[user] { // their old connection is still counted
		delete(l.back, user)
		return true
	}
	l.tabs[user]++
	return l.tabs[user] > 1
}

// Snapshot returns what is to be there again when the room is opened the next time.
func (l *lobby) Snapshot() ([]byte, error) {
	if len(l.messages) == 0 {
		return nil, nil
	}
	return json.Marshal(l.messages)
}

// Restore takes up what Snapshot returned.
func (l *lobby) Restore(snapshot []byte) error {
	if err := json.Unmarshal(snapshot, &l.messages); err != nil {
		return err
	}
	for _, m := range l.messages {
		l.next = m.ID + 1
	}
	return nil
}

// arrived tells all who came. The second tab of somebody who is here tells only that tab.
func (l *lobby) arrived(c *chat.Conn) error {
	user := c.UserID()
	if l.returned(user) {
		return l.room.Send(c, l.update(user, user+" joined"))
	}
	return l.room.Publish(l.update(user, user+" joined"))
}

// left tells all who went, with the last tab.
func (l *lobby) left(c *chat.Conn) error {
	user := c.UserID()
	if l.tabs[user]--; l.tabs[user] > 0 {
		return nil
	}
	delete(l.tabs, user)
	return l.room.Publish(l.update(user, user+" left"))
}

// RoomMessage says something to all members, the sender included.
func (l *lobby) RoomMessage(_ context.Context, c *chat.Conn, m *chat.RoomMessage) error {
	if err := l.mustBeIn(c); err != nil {
		return err
	}
	if l.said(c.UserID(), m.Key) {
		return nil
	}
	if len(l.messages) == keep {
		l.messages = l.messages[1:]
	}
	id := l.next
	l.next++
	l.messages = append(l.messages, chat.ChatMessage{ID: id, UserID: c.UserID(), Text: m.Text, SentAt: time.Now().UTC(), Key: m.Key})
	update := l.update(c.UserID(), m.Text)
	update.ID, update.Key = &id, m.Key
	return l.room.Publish(update)
}

// said reports whether the room has a message of somebody with a key.
func (l *lobby) said(user string, key *string) bool {
	return key != nil && slices.ContainsFunc(l.messages, func(m chat.ChatMessage) bool {
		return m.UserID == user && m.Key != nil && *m.Key == *key
	})
}

// Typing tells the others who is typing.
func (l *lobby) Typing(_ context.Context, c *chat.Conn, m *chat.Typing) error {
	if err := l.mustBeIn(c); err != nil {
		return err
	}
	user := c.UserID()
	return l.room.Publish(&chat.Typing{RoomID: m.RoomID, UserID: &user, Active: m.Active}, chat.Except(c))
}

// historyStep is how many messages are counted between two reports of progress.
const historyStep = 50

// GetHistory returns the newest messages, or the newest before one, and says on the way how far it is.
func (l *lobby) GetHistory(_ context.Context, c *chat.Conn, req *chat.GetHistoryRequest, progress func(*chat.GetHistoryProgress) error) (*chat.GetHistoryResponse, error) {
	if !l.room.Has(c) {
		return nil, chat.NewNotInRoomError(chat.NotInRoomDetails{RoomID: req.RoomID})
	}
	end := len(l.messages)
	if req.Before != nil {
		end, _ = slices.BinarySearchFunc(l.messages, *req.Before, func(m chat.ChatMessage, id uint32) int { return cmp.Compare(m.ID, id) })
	}
	newest := l.messages[max(0, end-int(req.Limit)):end]
	resp := &chat.GetHistoryResponse{Messages: make([]chat.ChatMessage, 0, len(newest)), Shard: uint16(l.room.Shard())}
	for i, m := range newest {
		resp.Messages = append(resp.Messages, m)
		if done := i + 1; done%historyStep == 0 || done == len(newest) {
			if err := progress(&chat.GetHistoryProgress{Loaded: uint32(done), Total: uint32(len(newest))}); err != nil {
				return nil, err
			}
		}
	}
	return resp, nil
}

func (l *lobby) update(user, text string) *chat.RoomUpdate {
	return &chat.RoomUpdate{RoomID: chat.RoomID(l.room.ID()), Text: text, UserID: user}
}

func (l *lobby) mustBeIn(c *chat.Conn) error {
	if l.room.Has(c) {
		return nil
	}
	return wsrt.Errorf(wsrt.CodeFailedPrecondition, "join %s first", l.room.ID())
}
