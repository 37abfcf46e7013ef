package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wsgen/wsgen/runtime/sharding"
)

type shardFlags struct {
	hash            string
	shards          int
	from, to, count int
	json            bool
	moves           bool // --from and --to were given
}

func newShard(s streams) *cobra.Command {
	var f shardFlags
	cmd := &cobra.Command{
		Use:   "shard [topic…]",
		Short: "Show the shards of topics, and what growing costs",
		Long: `Shard prints the shard of each topic, such as room:general. Topics are read from standard input when the only argument is -.

With --from and --to it shows how many topics move under each hash when the number of shards changes, and how even the
load is afterwards: of the topics that are given, or else of --count made-up ones.`,
		Example: `	wsgen shard --shards 10 room:general room:random
	wsgen shard --from 10 --to 11`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.moves = cmd.Flags().Changed("from") || cmd.Flags().Changed("to")
			return f.run(s, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.hash, "hash", string(sharding.Rendezvous), "rendezvous, jump or ws-kit")
	flags.IntVar(&f.shards, "shards", 10, "number of shards")
	flags.IntVar(&f.from, "from", 0, "number of shards before a change")
	flags.IntVar(&f.to, "to", 0, "number of shards after a change")
	flags.IntVar(&f.count, "count", 100000, "number of made-up topics")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f *shardFlags) run(s streams, args []string) error {
	topics, err := readTopics(s, args)
	if err != nil {
		return err
	}
	if f.moves {
		return f.showMoves(s, topics)
	}
	if err := sharding.Validate(sharding.Hash(f.hash), f.shards); err != nil {
		return usageError{err}
	}
	if len(topics) == 0 {
		return usageError{errors.New("name topics such as room:general, or a change with --from and --to")}
	}
	type row struct {
		Topic string `json:"topic"`
		Shard int    `json:"shard"`
	}
	rows := make([]row, len(topics))
	for i, topic := range topics {
		rows[i] = row{topic, sharding.Hash(f.hash).Shard(topic, f.shards)}
	}
	if f.json {
		return printJSON(s, rows)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\n", r.Topic, r.Shard)
	}
	return w.Flush()
}

func readTopics(s streams, args []string) ([]string, error) {
	if len(args) != 1 || args[0] != "-" {
		return args, nil
	}
	var topics []string
	lines := bufio.NewScanner(s.in)
	for lines.Scan() {
		if topic := strings.TrimSpace(lines.Text()); topic != "" {
			topics = append(topics, topic)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("standard input: %w; a line is a topic of at most %d bytes", err, bufio.MaxScanTokenSize)
	}
	return topics, nil
}

func printJSON(s streams, v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// maxTopics bounds --count, which is work for every hash and shard.
const maxTopics = 10_000_000

// hashReport is what a change means under one hash.
type hashReport struct {
	Hash   sharding.Hash `json:"hash"`
	Topics int           `json:"topics"`
	Moved  int           `json:"moved"`
	Min    int           `json:"min"` // topics of a shard, after the change
	Mean   float64       `json:"mean"`
	Max    int           `json:"max"`
	StdDev float64       `json:"stdDev"`
	Load   []int         `json:"load"`
}

func (f *shardFlags) showMoves(s streams, topics []string) error {
	for _, n := range []int{f.from, f.to} {
		if err := sharding.Validate(sharding.Rendezvous, n); err != nil {
			return usageError{fmt.Errorf("--from and --to: %w", err)}
		}
	}
	if len(topics) == 0 {
		if f.count < 1 || f.count > maxTopics {
			return usageError{fmt.Errorf("--count %d: use 1 to %d", f.count, maxTopics)}
		}
		topics = make([]string, f.count)
		for i := range topics {
			topics[i] = "room:" + strconv.Itoa(i)
		}
	}
	var reports []hashReport
	for _, h := range sharding.Hashes() {
		reports = append(reports, compareShards(h, topics, f.from, f.to))
	}
	if f.json {
		return printJSON(s, reports)
	}
	f.printMoves(s, reports)
	return nil
}

func compareShards(h sharding.Hash, topics []string, from, to int) hashReport {
	r := hashReport{Hash: h, Topics: len(topics), Load: make([]int, to), Mean: float64(len(topics)) / float64(to)}
	for _, topic := range topics {
		after := h.Shard(topic, to)
		r.Load[after]++
		if after != h.Shard(topic, from) {
			r.Moved++
		}
	}
	r.Min, r.Max = slices.Min(r.Load), slices.Max(r.Load)
	for _, n := range r.Load {
		r.StdDev += (float64(n) - r.Mean) * (float64(n) - r.Mean) / float64(to)
	}
	r.StdDev = math.Sqrt(r.StdDev)
	return r
}

func (f *shardFlags) printMoves(s streams, reports []hashReport) {
	fmt.Fprintf(s.out, "%d topics, %d → %d shards\n\n", reports[0].Topics, f.from, f.to)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "hash\tmove\t\tmin\tmean\tmax\tdeviation\t")
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%d\t%.1f %%\t%d\t%.0f\t%d\t%.1f %%\t\n", r.Hash, r.Moved, 100*float64(r.Moved)/float64(r.Topics),
			r.Min, r.Mean, r.Max, 100*r.StdDev/max(r.Mean, math.SmallestNonzeroFloat64))
	}
	w.Flush()
	for _, r := range reports {
		fmt.Fprintf(s.out, "\ntopics per shard, %s\n", r.Hash)
		printBars(s, r.Load, terminalWidth(s.out))
	}
}

// maxBars is how many bars a chart has; of more shards a bar shows the mean of several.
const maxBars = 32

func printBars(s streams, load []int, width int) {
	per := (len(load) + maxBars - 1) / maxBars
	highest := float64(max(slices.Max(load), 1))
	for start := 0; start < len(load); start += per {
		group := load[start:min(start+per, len(load))]
		sum := 0
		for _, n := range group {
			sum += n
		}
		mean := float64(sum) / float64(len(group))
		label := strconv.Itoa(start)
		if per > 1 {
			label = fmt.Sprintf("%d–%d", start, start+len(group)-1)
		}
		fmt.Fprintf(s.out, "%10s %s %.0f\n", label, bar(mean/highest, max(width-20, 10)), mean)
	}
}

// bar draws a share of a width in eighths of a character.
func bar(share float64, width int) string {
	eighths := int(math.Round(share * float64(width) * 8))
	full, rest := strings.Repeat("█", eighths/8), eighths%8
	if rest == 0 {
		return full
	}
	return full + string([]rune(" ▏▎▍▌▋▊▉")[rest])
}

// terminalWidth returns the width that COLUMNS or the terminal tells, within reason; 80 where nobody does.
func terminalWidth(w io.Writer) int {
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if f, ok := w.(*os.File); ok && err != nil {
		width, _, err = term.GetSize(int(f.Fd()))
	}
	if err != nil {
		return 80
	}
	return min(max(width, 30), 200)
}
