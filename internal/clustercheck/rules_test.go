package clustercheck_test

import (
	"slices"
	"testing"

	"github.com/wsgen/wsgen/internal/clustercheck"
)

// A verdict is a trace, and the rules that it breaks.
type verdict struct {
	name  string
	trace trace
	want  []string
}

// judge checks traces, which go on with an end in which everything answers.
func judge(t *testing.T, verdicts []verdict) {
	for _, v := range verdicts {
		t.Run(v.name, func(t *testing.T) { check(t, v.trace.quiet(), v.want...) })
	}
}

// TestOneOwner (I1): one incarnation has a slot in an epoch, and only its process handles messages in it.
func TestOneOwner(t *testing.T) {
	judge(t, []verdict{
		{"each epoch has an owner", owned(claim("2", 6), renew("2", 1000), send("m1"), apply("2", 6, "m1", 1)), nil},
		{"a claim that is told twice", owned(claim("1", 5)), nil},
		{"two owners in an epoch", owned(claim("2", 5)), []string{"I1"}},
		{"an epoch that nobody has claimed", owned(send("m1"), apply("1", 6, "m1", 1)), []string{"I1"}},
		{"another process handles a message", owned(renew("2", 1000), claim("2", 6), send("m1"), apply("2", 5, "m1", 1)),
			[]string{"I1"}},
	})
}

// TestEpochsGrow (I2): nothing happens in an epoch after something in a later one.
func TestEpochsGrow(t *testing.T) {
	judge(t, []verdict{
		{"the epochs of a room grow", owned(claim("2", 6), renew("2", 1000), send("m1"), apply("1", 5, "m1", 1), send("m2"),
			apply("2", 6, "m2", 1)), nil},
		{"the epochs of a room go back", owned(claim("2", 6), renew("2", 1000), send("m1"), apply("2", 6, "m1", 1), send("m2"),
			apply("1", 5, "m2", 2)), []string{"I2"}},
		{"the epochs of a slot go back, in another room", owned(claim("2", 6), renew("2", 1000), send("m1"), apply("2", 6, "m1", 1),
			inRoom("other", send("m2")), inRoom("other", apply("1", 5, "m2", 1))), []string{"I2"}},
		{"the epochs of a room go back, and stay there", owned(claim("2", 6), renew("2", 1000), send("m1"), apply("2", 6, "m1", 1),
			send("m2"), apply("1", 5, "m2", 2), send("m3"), apply("1", 5, "m3", 3)), []string{"I2", "I2"}},
		{"a client sees epochs that grow", owned(joined("v", 0), cast(5, 1), cast(6, 2), cast(6, 0)), nil},
		{"a client sees an earlier epoch", owned(joined("v", 0), cast(6, 1), cast(5, 2)), []string{"I2"}},
		{"a hint of an earlier epoch", owned(joined("v", 0), cast(6, 1), cast(5, 0)), []string{"I2"}},
		{"hints of an earlier epoch", owned(joined("v", 0), cast(6, 1), cast(5, 0), cast(5, 0)), []string{"I2", "I2"}},
		{"an answer of an earlier epoch", owned(joined("v", 0), cast(6, 1), ask("m1"), apply("1", 5, "m1", 1), answer("m1", 5)),
			[]string{"I2"}},
		{"what was missed is of an earlier epoch than an answer", owned(joined("v", 0), claim("2", 6), renew("2", 1000), ask("m1"),
			apply("2", 6, "m1", 1), answer("m1", 6), cast(5, 1)), nil},
		{"another connection of the client sees an earlier epoch", owned(joined("v", 0), cast(6, 1), ended(),
			of("k", "k2", joined("w", 0)), of("k", "k2", cast(5, 1))), []string{"I2"}},
		{"another client sees an earlier epoch", owned(joined("v", 0), cast(6, 1), of("l", "l1", joined("v", 0)),
			of("l", "l1", cast(5, 1))), nil},
	})
}

// TestMessagesKeepTheirOrder (I4): messages of a connection to a room are handled in the order in which they were sent.
func TestMessagesKeepTheirOrder(t *testing.T) {
	other := of("l", "l1", send("x"))
	judge(t, []verdict{
		{"in the order of sending", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), apply("1", 5, "m2", 2)), nil},
		{"one is lost on the way", owned(send("m1"), send("m2"), send("m3"), apply("1", 5, "m1", 1), apply("1", 5, "m3", 2)), nil},
		{"in another order", owned(send("m1"), send("m2"), apply("1", 5, "m2", 1), apply("1", 5, "m1", 2)), []string{"I4"}},
		{"one before all others", owned(send("m1"), send("m2"), send("m3"), apply("1", 5, "m3", 1), apply("1", 5, "m1", 2),
			apply("1", 5, "m2", 3)), []string{"I4", "I4"}},
		{"in another order than on another connection", owned(send("m1"), other, apply("1", 5, "x", 1), apply("1", 5, "m1", 2)), nil},
	})
}

// TestMessagesAreHandledOnce (I6): no message is handled twice, one that was certainly not handled never, and one that was
// answered once.
func TestMessagesAreHandledOnce(t *testing.T) {
	judge(t, []verdict{
		{"a message that is handled twice", owned(send("m1"), apply("1", 5, "m1", 1), apply("1", 5, "m1", 2)), []string{"I6"}},
		{"a message that is handled by both owners", owned(claim("2", 6), renew("2", 1000), send("m1"), apply("1", 5, "m1", 1),
			apply("2", 6, "m1", 1)), []string{"I6"}},
		{"a message that nobody has sent", owned(apply("1", 5, "m1", 1)), []string{"I6"}},
		{"a message that is lost", owned(send("m1")), nil},
		{"an answer to what was not handled", owned(ask("m1"), answer("m1", 5)), []string{"I6"}},
		{"an answer of another epoch", owned(ask("m1"), apply("1", 5, "m1", 1), answer("m1", 6)), []string{"I6"}},
		{"certainly not handled", owned(ask("m1"), refuse("m1", clustercheck.NotApplied)), nil},
		{"certainly not handled, and it was before", owned(ask("m1"), apply("1", 5, "m1", 1), refuse("m1", clustercheck.NotApplied)),
			[]string{"I6"}},
		{"certainly not handled, and it is afterwards", owned(ask("m1"), refuse("m1", clustercheck.NotApplied), apply("1", 5, "m1", 1)),
			[]string{"I6"}},
		{"maybe handled, and it was", owned(ask("m1"), apply("1", 5, "m1", 1), refuse("m1", clustercheck.Applied)), nil},
		{"maybe handled, and it was not", owned(ask("m1"), refuse("m1", clustercheck.Applied)), nil},
		{"a handler's own error", owned(ask("m1"), apply("1", 5, "m1", 1), refuse("m1", "")), nil},
	})
}

// TestMembersAreThoseOfTheOwner (I7): in the end the owner's members are the clients that take themselves for members.
func TestMembersAreThoseOfTheOwner(t *testing.T) {
	member := of("l", "l1", joined("v", 3))
	judge(t, []verdict{
		{"the members", owned(joined("v", 0), member, census("r", "l", "k")), nil},
		{"one is missing", owned(joined("v", 0), member, census("r", "k")), []string{"I7"}},
		{"one is too many", owned(joined("v", 0), left(), member, census("r", "k", "l")), []string{"I7"}},
		{"one whose connection has ended", owned(joined("v", 0), ended(), member, census("r", "k", "l")), []string{"I7"}},
		{"one that asks to be a member again", owned(joined("v", 0), ended(), of("k", "k2", joined("v", 0)), census("r", "k")), nil},
		{"one of an earlier connection", owned(joined("v", 0), of("k", "k2", send("m1")), census("r", "k")), []string{"I7"}},
		{"a member after a gap", owned(joined("v", 0), gap("w", 0), census("r", "k")), nil},
	})
}

// TestNumbersGrowByOne (I8): a client's numbers grow by one, unless it is told of a gap.
func TestNumbersGrowByOne(t *testing.T) {
	judge(t, []verdict{
		{"numbers that grow by one", owned(joined("v", 3), cast(5, 4), cast(5, 0), position(5), cast(5, 6)), nil},
		{"a number is missing", owned(joined("v", 3), cast(5, 5)), []string{"I8"}},
		{"a number is missing before one that was not for it", owned(joined("v", 3), position(5)), []string{"I8"}},
		{"a number comes twice", owned(joined("v", 3), cast(5, 4), cast(5, 4)), []string{"I8"}},
		{"a number goes back", owned(joined("v", 3), cast(5, 4), cast(5, 5), cast(5, 4)), []string{"I8"}},
		{"a gap that it is told of", owned(joined("v", 3), gap("v", 7), cast(5, 8)), nil},
		{"a gap back", owned(joined("v", 3), gap("v", 2)), []string{"I8"}},
		{"numbers that begin anew", owned(joined("v", 3), gap("w", 0), cast(5, 1)), nil},
		{"it is told again where it is", owned(joined("v", 3), cast(5, 4), joined("v", 4), cast(5, 5)), nil},
		{"it is told again, and is elsewhere", owned(joined("v", 3), joined("v", 4)), []string{"I8"}},
		{"it goes on where it was", owned(joined("v", 3), ended(), of("k", "k2", resume("v", 3)), of("k", "k2", joined("v", 3)),
			of("k", "k2", cast(5, 4))), nil},
		{"it goes on elsewhere", owned(resume("v", 3), joined("v", 5)), []string{"I8"}},
		{"it goes on in another numbering", owned(resume("v", 3), joined("w", 0)), []string{"I8"}},
		{"it goes on in another numbering, and is told", owned(resume("v", 3), gap("w", 0), cast(5, 1)), nil},
		{"it leaves and comes back later", owned(joined("v", 3), left(), joined("v", 9), cast(5, 10)), nil},
		{"it comes back, and the numbers go back", owned(joined("v", 3), left(), joined("v", 2)), []string{"I8"}},
		{"it is told something and is no member", owned(joined("v", 3), left(), cast(5, 4)), []string{"I8"}},
		{"a hint overtakes the beginning of a membership", owned(cast(5, 0), joined("v", 3)), nil},
	})
}

// TestNothingWithoutALease (I10): nothing is handled when the lease has ended.
func TestNothingWithoutALease(t *testing.T) {
	late := apply("1", 5, "m1", 1)
	late.At = 11*second + 1
	intime := late
	intime.At = 11 * second
	judge(t, []verdict{
		{"at the end of the lease", trace{renew("1", 11), claim("1", 5), send("m1"), intime}, nil},
		{"after the end of the lease", trace{renew("1", 11), claim("1", 5), send("m1"), late}, []string{"I10"}},
		{"after a renewal", trace{renew("1", 5), claim("1", 5), send("m1"), renew("1", 12), late}, nil},
		{"a renewal that comes late counts no less", trace{renew("1", 12), renew("1", 5), claim("1", 5), send("m1"), late}, nil},
		{"another incarnation's lease", trace{renew("2", 1000), claim("1", 5), send("m1"), late}, []string{"I10"}},
	})
}

// TestHandovers (handover): a room that was handed over goes on with the state that it had.
func TestHandovers(t *testing.T) {
	judge(t, []verdict{
		{"a room goes on", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), give("1", 5), claim("2", 6), renew("2", 1000),
			apply("2", 6, "m2", 2)), nil},
		{"a room begins anew after a handover", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), give("1", 5), claim("2", 6),
			renew("2", 1000), apply("2", 6, "m2", 1)), []string{"handover"}},
		{"a room begins anew after a crash", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), claim("2", 6), renew("2", 1000),
			apply("2", 6, "m2", 1)), nil},
		{"a crash after a handover", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), give("1", 5), claim("2", 6), claim("3", 7),
			renew("3", 1000), apply("3", 7, "m2", 1)), nil},
		{"two handovers", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), give("1", 5), claim("2", 6), give("2", 6),
			claim("3", 7), renew("3", 1000), apply("3", 7, "m2", 1)), []string{"handover"}},
		{"a room forgets within an epoch", owned(send("m1"), send("m2"), apply("1", 5, "m1", 1), apply("1", 5, "m2", 1)),
			[]string{"handover"}},
	})
}

// TestRequestsHaveOneAnswer (answer): each request has one answer, unless its connection ended.
func TestRequestsHaveOneAnswer(t *testing.T) {
	judge(t, []verdict{
		{"an answer", owned(ask("m1"), apply("1", 5, "m1", 1), answer("m1", 5)), nil},
		{"no answer", owned(ask("m1")), []string{"answer"}},
		{"no answer, and the connection has ended", owned(ask("m1"), ended()), nil},
		{"two answers", owned(ask("m1"), apply("1", 5, "m1", 1), answer("m1", 5), answer("m1", 5)), []string{"answer"}},
		{"an answer and an error", owned(ask("m1"), apply("1", 5, "m1", 1), answer("m1", 5), refuse("m1", clustercheck.Applied)),
			[]string{"answer"}},
		{"an answer that nobody has asked for", owned(answer("m1", 5)), []string{"answer"}},
		{"a membership that is not answered", owned(resume("v", 3)), []string{"answer"}},
		{"a membership that is ended instead", owned(resume("v", 3), left()), nil},
		{"a membership that is not answered, and the connection has ended", owned(resume("v", 3), ended()), nil},
	})
}

// TestRoomsAnswer (I9): in the end every room answers, and somebody has looked.
func TestRoomsAnswer(t *testing.T) {
	for _, test := range []verdict{
		{"they do", trace{probe("r", ""), census("r")}, nil},
		{"one does not", trace{probe("r", "UNAVAILABLE"), probe("s", ""), census("r")}, []string{"I9"}},
		{"one has no members to tell", trace{probe("r", ""), {Kind: clustercheck.Census, Room: "r", Code: "UNAVAILABLE"}},
			[]string{"I9"}},
		{"nobody has asked", trace{census("r")}, []string{"I9"}},
		{"nobody has counted", trace{probe("r", "")}, []string{"I9"}},
		{"nothing has happened", nil, []string{"I9"}},
	} {
		t.Run(test.name, func(t *testing.T) { check(t, test.trace, test.want...) })
	}
}

// TestOrderOfRecords: they come in any order between files, and a renewal counts for what has happened at the same time.
func TestOrderOfRecords(t *testing.T) {
	tr := owned(send("m1"), apply("1", 5, "m1", 1), send("m2"), apply("1", 5, "m2", 2)).quiet().timed()
	slices.Reverse(tr)
	given := slices.Clone(tr)
	check(t, tr)
	if !slices.EqualFunc(tr, given, func(a, b clustercheck.Record) bool { return a.String() == b.String() }) {
		t.Error("Check has changed the order of what it was given")
	}
	now := trace{claim("1", 5), send("m1"), apply("1", 5, "m1", 1), renew("1", 2)}.quiet()
	for i := range now {
		now[i].At = second
	}
	check(t, now)
}

// TestViolationsAreInOrder: the earliest comes first, whatever it is.
func TestViolationsAreInOrder(t *testing.T) {
	check(t, owned(ask("m1"), send("m2"), apply("1", 6, "m2", 1), joined("v", 0), cast(5, 2), probe("r", ""), census("r", "k")),
		"answer", "I1", "I8")
}
