package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	wsrt "github.com/wsgen/wsgen/runtime"
	"github.com/wsgen/wsgen/runtime/cluster"
)

type topFlags struct {
	url   string
	every time.Duration
	rows  int
	once  bool
	json  bool
}

func newTop(s streams) *cobra.Command {
	var f topFlags
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show what a server and its cluster do",
		Long: `Top reads what a server shows to operators with DebugHandler, and shows it anew every two seconds until Ctrl-C: the nodes
of its cluster with their slots and rooms, slots that nobody owns, the links of the node, and the busiest rooms of all nodes.
Of a server without a cluster it shows rooms, hubs and the connections for which the most waits.`,
		Example: `	wsgen top --url http://127.0.0.1:9090/debug/wsgen
	wsgen top --once --json | jq .cluster.nodes`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return f.run(s) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "http://127.0.0.1:9090/debug/wsgen", "where the server shows it")
	flags.DurationVar(&f.every, "every", 2*time.Second, "time between two looks")
	flags.IntVar(&f.rows, "rows", 10, "rooms, connections and hubs to show")
	flags.BoolVar(&f.once, "once", false, "look once; so it does where the output is no terminal")
	flags.BoolVar(&f.json, "json", false, "print what the server shows as JSON, once")
	return cmd
}

func (f *topFlags) run(s streams) error {
	if f.every < 100*time.Millisecond || f.rows < 1 || f.rows > 1000 {
		return usageError{errors.New("--every is 100ms at least, and --rows 1 to 1000")}
	}
	address, err := f.address()
	if err != nil {
		return usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.json {
		_, data, err := look(ctx, address)
		if err == nil {
			_, err = s.out.Write(append(bytes.TrimSpace(data), '\n'))
		}
		return err
	}
	if out, ok := s.out.(*os.File); f.once || !ok || !term.IsTerminal(int(out.Fd())) {
		d, _, err := look(ctx, address)
		if err == nil {
			_, err = io.WriteString(s.out, f.screen(d))
		}
		return err
	}
	return f.watch(ctx, s, address)
}

// address returns the URL to ask.
func (f *topFlags) address() (string, error) {
	u, err := url.Parse(f.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("--url %q: use one such as http://127.0.0.1:9090/debug/wsgen", f.url)
	}
	q := u.Query()
	q.Set("top", strconv.Itoa(f.rows))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// watch looks again and again. A server that does not answer is shown as such: it may come back.
func (f *topFlags) watch(ctx context.Context, s streams, address string) error {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for first := true; ; first = false {
		d, _, err := look(ctx, address)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && first:
			return err
		case err != nil:
			fmt.Fprintf(s.out, "\x1b[H\x1b[2J%v\n", err)
		default:
			fmt.Fprint(s.out, "\x1b[H\x1b[2J", f.screen(d))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// lookTime is how long a server may take to answer.
const lookTime = 5 * time.Second

// maxLook is how much a server may answer.
const maxLook = 16 << 20

// look asks the server. data is its answer as it came.
func look(ctx context.Context, address string) (d *wsrt.Debug, data []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("the server does not answer: %w; does it run, and has it a listener for operators there?", err)
	}
	defer resp.Body.Close()
	if data, err = io.ReadAll(io.LimitReader(resp.Body, maxLook)); err != nil {
		return nil, nil, fmt.Errorf("the server does not answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answers %s: is DebugHandler there?", address, resp.Status)
	}
	d = new(wsrt.Debug)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, nil, fmt.Errorf("%s is not what DebugHandler shows: %w", address, err)
	}
	if d.Protocol == "" {
		return nil, nil, fmt.Errorf("%s is not what DebugHandler shows: it names no protocol", address)
	}
	return d, data, nil
}

// screen is what is shown of a server.
func (f *topFlags) screen(d *wsrt.Debug) string {
	var b strings.Builder
	ready := "ready"
	if !d.Ready {
		ready = "not ready"
	}
	fmt.Fprintf(&b, "%s  %s  connections %d  rooms %d  members %d\n", d.Protocol, ready, d.Connections, d.Rooms, d.Members)
	if d.Cluster != nil {
		f.showCluster(&b, d.Cluster)
		return b.String()
	}
	table(&b, "ROOM\tSHARD\tMEMBERS\tWAITING\tPUBLISHED", len(d.TopRooms), func(i int) []any {
		r := d.TopRooms[i]
		return []any{shown(r.Topic), r.Shard, r.Members, r.Mail, r.Published}
	})
	table(&b, "HUB\tCONNECTIONS\tQUEUE\tIN ITS TURN", min(len(d.Hubs), f.rows), func(i int) []any {
		h := d.Hubs[i]
		return []any{i, h.Connections, h.Queue, seconds(h.TurnAge)}
	})
	table(&b, "SLOWEST\tROOMS\tPENDING\tFRAMES\tBYTES\tAGE", len(d.Slowest), func(i int) []any {
		c := d.Slowest[i]
		return []any{shown(c.ID), c.Rooms, c.Pending, c.Frames, c.Bytes, seconds(c.Age)}
	})
	return b.String()
}

// showCluster shows what the node knows of its cluster.
func (f *topFlags) showCluster(b *strings.Builder, c *cluster.Status) {
	state := "its lease holds for " + seconds(c.Lease)
	switch {
	case !c.Alive:
		state = "IT HAS NO LEASE, and its rooms wait"
	case c.Draining:
		state += ", and it is draining"
	}
	fmt.Fprintf(b, "as node %s sees it: %s; the last renewal took %s\n", shown(c.Node), state, seconds(c.Renewal))
	if n := c.Orphans(); n > 0 {
		fmt.Fprintf(b, "%d OF %d SLOTS HAVE NO OWNER\n", n, len(c.Slots))
		if unread, needs := c.Unread(); unread > 0 {
			fmt.Fprintf(b, "%d OF THEM NEED A NODE THAT READS VERSION %d OF THE SCHEMA\n", unread, needs)
		}
	} else {
		fmt.Fprintf(b, "%d slots, all with an owner\n", len(c.Slots))
	}
	table(b, "NODE\tSTATE\tZONE\tVERSION\tSCHEMA\tREADS\tWEIGHT\tSLOTS\tCONNECTIONS\tROOMS\tSEEN", len(c.Nodes), func(i int) []any {
		n := c.Nodes[i]
		return []any{shown(n.Node), n.State, orNone(n.Zone), orNone(n.Version), orNone(n.Schema), n.Reads, n.Weight, n.Slots,
			n.Load.Connections, n.Load.Rooms, seconds(n.Seen) + " ago"}
	})
	table(b, "LINK TO\tUNCONFIRMED\tBYTES\tRESETS\tSENT AGAIN\tASKED AGAIN", len(c.Links), func(i int) []any {
		l := c.Links[i]
		return []any{shown(l.Node), l.Frames, l.Bytes, l.Resets, l.Retransmits, l.Nacks}
	})
	hot := hottest(c)
	table(b, "HOTTEST ROOM\tNODE\tMESSAGES\tMEMBERS", min(len(hot), f.rows), func(i int) []any {
		r := hot[i]
		return []any{shown(r.Topic), shown(r.node), r.Messages, r.Members}
	})
}

// hotRoom is a busy room and where it is.
type hotRoom struct {
	cluster.RoomLoad
	node string
}

// hottest returns the busiest rooms of all nodes that run, the busiest first. Messages are those between a node's last two
// renewals.
func hottest(c *cluster.Status) []hotRoom {
	var all []hotRoom
	for _, n := range c.Nodes {
		if n.State == "dead" {
			continue
		}
		for _, r := range n.Load.Hottest {
			all = append(all, hotRoom{r, n.Node})
		}
	}
	slices.SortStableFunc(all, func(a, b hotRoom) int { return cmp.Compare(b.Messages, a.Messages) })
	return all
}

// table writes a heading and rows, unless there are none.
func table(b *strings.Builder, heading string, rows int, row func(i int) []any) {
	if rows == 0 {
		return
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, heading)
	for i := range rows {
		for j, cell := range row(i) {
			if j > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // to memory
}

// mostShown is how much is shown of a name.
const mostShown = 48

// shown makes a name that clients have chosen fit for a terminal.
func shown(name string) string {
	name = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > mostShown {
		name = string(runes[:mostShown-1]) + "…"
	}
	return name
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return shown(s)
}

// seconds returns a time as it is read best.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
