package natscluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsgen/wsgen/runtime/cluster"
)

// attemptTime is how long an answer of the server is waited for before the message is sent again. A leader that is gone does
// not answer.
const attemptTime = time.Second

// partTime is how much longer it is waited for each half a megabyte of a batch, the first one included.
const partTime = 250 * time.Millisecond

// Codes of the server's errors that have no name in nats.go.
const (
	codeSubjectsOverlap  jetstream.ErrorCode = 10065 // with those of another stream
	codeInFlight         jetstream.ErrorCode = 10158 // a message with this ID is on its way
	codeNotReady         jetstream.ErrorCode = 10163 // the leader does not know yet what came before
	codeTooManyRequests  jetstream.ErrorCode = 10167
	codeIncompleteBatch  jetstream.ErrorCode = 10176
	codeDuplicateInBatch jetstream.ErrorCode = 10201 // of a batch that was committed
	codeTooManyBatches   jetstream.ErrorCode = 10210
)

const (
	codeWrongSequence = jetstream.JSErrCodeStreamWrongLastSequence
	// codeBusy says that another message with a condition on this subject is on its way, and nothing was written.
	codeBusy = jetstream.JSErrCodeStreamWrongLastSequenceConstant
)

// Headers of messages to the stream. Nats-Expected-Last-Msg-Id must never be among them: one message in which it is wrong stops a
// replicated stream of server 2.15.2 for good. Nats-Expected-Last-Sequence must not either: an intruder's message takes the place
// of one of ours, and the numbers are right again.
const (
	headerID       = nats.MsgIdHdr
	headerExpected = "Nats-Expected-Last-Subject-Sequence"
	headerOf       = "Nats-Expected-Last-Subject-Sequence-Subject"
	headerTTL      = "Nats-TTL"
	headerBatch    = "Nats-Batch-Id"
	headerBatchSeq = "Nats-Batch-Sequence"
	headerCommit   = "Nats-Batch-Commit"
	headerSubject  = "Nats-Subject"
	headerSequence = "Nats-Sequence"
	headerPrevious = "Nats-Last-Sequence"
	headerUpTo     = "Nats-UpTo-Sequence"
	headerPending  = "Nats-Num-Pending"
)

// store writes to the stream and reads from it.
type store struct {
	nc    *nats.Conn
	names names
}

// message is one of the stream.
type message struct {
	sequence uint64
	header   nats.Header
	data     []byte
}

// expecting makes a message that is refused when the last one of a subject has another sequence. It is used for the subject
// of the message itself when of is empty.
func expecting(m *nats.Msg, sequence uint64, of string) *nats.Msg {
	m.Header.Set(headerExpected, strconv.FormatUint(sequence, 10))
	if of != "" {
		m.Header.Set(headerOf, of)
	}
	return m
}

func newMessage(subject string, data []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Header: nats.Header{}, Data: data}
}

// publish sends a message once and returns the sequence with which it is stored. After an error that is not the server's, it
// is not known whether it was.
func (s store) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	return s.send(ctx, m)
}

func (s store) send(ctx context.Context, m *nats.Msg) (uint64, error) {
	answer, err := s.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return 0, err
	}
	var ack struct {
		Stream   string              `json:"stream"`
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, fmt.Errorf("natscluster: answer of the stream: %w", err)
	}
	switch {
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Stream != s.names.stream || ack.Sequence == 0:
		return 0, fmt.Errorf("natscluster: %q answered in the place of stream %s", ack.Stream, s.names.stream)
	}
	return ack.Sequence, nil
}

// publishBatch sends messages that are all stored, or none. It returns the sequence of the last one. A large batch gets
// more time, and every try twice that of the one before: a leader that is gone costs little, and a slow disk is waited for.
func (s store) publishBatch(ctx context.Context, id string, try int, all []*nats.Msg) (uint64, error) {
	size := 0
	for _, m := range all {
		size += len(m.Data)
	}
	ctx, cancel := context.WithTimeout(ctx, (attemptTime+time.Duration(size/partSize+1)*partTime)<<min(try, 5))
	defer cancel()
	for i, m := range all {
		m.Header.Set(headerBatch, id)
		m.Header.Set(headerBatchSeq, strconv.Itoa(i+1))
		if i < len(all)-1 {
			if err := s.nc.PublishMsg(m); err != nil {
				return 0, err
			}
		}
	}
	last := all[len(all)-1]
	last.Header.Set(headerCommit, "1")
	return s.send(ctx, last)
}

var (
	// errLate says that the replica that answered has not all that was written.
	errLate = errors.New("natscluster: a late replica answered")
	// errTooMuch says that an answer has more messages, or more bytes, than the server sends.
	errTooMuch = errors.New("natscluster: this is too much for one answer")
	// errUnreadable says that the server cannot read what it has.
	errUnreadable = errors.New("natscluster: the server cannot read it")
)

// read returns the last messages of subjects, as they were together at one moment after it was called: all that was
// acknowledged before is in them. Any replica may answer, which may be late; so a message is written first, and answers
// of a replica that does not have it do not count.
func (s store) read(ctx context.Context, subjects ...string) (map[string]message, error) {
	var least uint64
	err := s.again(ctx, func() (err error) {
		least, err = s.publish(ctx, newMessage(s.names.barrier(), nil))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("natscluster: cannot read: %w", err)
	}
	var found map[string]message
	err = s.again(ctx, func() (err error) {
		found, err = s.readOnce(ctx, least, subjects)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("natscluster: cannot read: %w", err)
	}
	return found, nil
}

// maxAnswer is how many bytes an answer has at most: more than the largest snapshot.
const maxAnswer = maxSnapshot + maxSnapshot/2

// readOnce asks one replica. The server reads all subjects while it writes nothing, batches being one write. Each answer
// tells the sequence of the one before it, and the last one how far the replica is.
func (s store) readOnce(ctx context.Context, least uint64, subjects []string) (map[string]message, error) {
	request, err := json.Marshal(map[string]any{"multi_last": append(subjects, s.names.barrier()), "max_bytes": maxAnswer})
	if err != nil {
		return nil, err
	}
	inbox := s.nc.NewInbox()
	sub, err := s.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, err
	}
	if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+s.names.stream, inbox, request); err != nil {
		return nil, err
	}
	found := make(map[string]message)
	for previous := uint64(0); ; {
		m, err := next(ctx, sub, attemptTime)
		if err != nil {
			return nil, err
		}
		status := m.Header.Get("Status")
		if err := refused(status, m.Header.Get("Description")); err != nil {
			return nil, err
		}
		if number(m, headerPrevious) != previous {
			return nil, errors.New("natscluster: a part of the answer was lost")
		}
		if status != "" {
			if number(m, headerUpTo) < least {
				return nil, errLate
			}
			if number(m, headerPending) > 0 {
				return nil, errTooMuch
			}
			return found, nil
		}
		previous = number(m, headerSequence)
		found[m.Header.Get(headerSubject)] = message{previous, m.Header, m.Data}
	}
}

// refused returns what a status of an answer means; nil: nothing is wrong.
func refused(status, description string) error {
	switch {
	case status == "" || status == "204":
		return nil
	case status == "413":
		return errTooMuch
	case status == "404" && description == "No Results", status == "503": // not even what was written before
		return errLate
	default:
		return fmt.Errorf("%w: %s %s", errUnreadable, status, description)
	}
}

func number(m *nats.Msg, header string) uint64 {
	n, _ := strconv.ParseUint(m.Header.Get(header), 10, 64)
	return n
}

// again calls f until it returns nil or an error that another call would not change, or ctx ends.
func (s store) again(ctx context.Context, f func() error) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := f()
		if err == nil || !passing(err) {
			return err
		}
		if pause(ctx, wait/2+rand.N(wait)) != nil {
			return fmt.Errorf("%w (the last try: %w)", ctx.Err(), err)
		}
	}
}

// passing says whether an error may be gone at the next try. All that is not an answer of the server is, as long as the
// connection is not closed.
func passing(err error) bool {
	for _, final := range []error{cluster.ErrConflict, cluster.ErrFenced, nats.ErrConnectionClosed, nats.ErrMaxPayload, errTooMuch, errUnreadable, errTooMany,
		errNoAnswer} {
		if errors.Is(err, final) {
			return false
		}
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return true
	}
	return api.Code == 503 || isCode(err, codeBusy, codeInFlight, codeNotReady, codeTooManyRequests, codeIncompleteBatch,
		codeTooManyBatches)
}

// isCode says whether the server answered with one of the codes.
func isCode(err error, codes ...jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode)
}
