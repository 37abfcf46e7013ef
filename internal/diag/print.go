package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Formats returns the names that Print knows, the default first.
func Formats() []string { return []string{"text", "json", "github"} }

// Print writes findings in one of Formats. source returns the content of a file for its excerpt, or nil.
func Print(w io.Writer, format string, ds []Diagnostic, source func(file string) []byte) error {
	switch format {
	case "json":
		return JSON(w, ds)
	case "github":
		return GitHub(w, ds)
	}
	return Text(w, ds, source)
}

// Text writes findings for people: the place and the message, the line with a caret, the hint, and the number of findings
// at the end.
func Text(w io.Writer, ds []Diagnostic, source func(file string) []byte) error {
	var b bytes.Buffer
	count := make(map[Severity]int)
	for _, d := range ds {
		count[d.Severity]++
		fmt.Fprintf(&b, "%v: %v: %s (%s)\n", d.Pos, d.Severity, d.Message, d.Rule)
		if d.Pos.Line > 0 && source != nil {
			excerpt(&b, line(source(d.Pos.File), d.Pos.Line), d.Pos.Col)
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", d.Hint)
		}
	}
	var totals []string
	for s := Error; s <= Info; s++ {
		if n := count[s]; n == 1 {
			totals = append(totals, fmt.Sprintf("1 %v", s))
		} else if n > 1 {
			totals = append(totals, fmt.Sprintf("%d %vs", n, s))
		}
	}
	if len(totals) > 0 {
		fmt.Fprintln(&b, strings.Join(totals, ", "))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// line returns a line of a file, counted from 1, without its end. Control characters would reach the reader's terminal: they are
// replaced, each by one character, so that columns stay right.
func line(src []byte, n int) string {
	for range n - 1 {
		_, rest, ok := bytes.Cut(src, []byte("\n"))
		if !ok {
			return ""
		}
		src = rest
	}
	text, _, _ := bytes.Cut(src, []byte("\n"))
	text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\r"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, string(text))
}

// maxExcerpt is how much of a long line is shown, in characters.
const maxExcerpt = 120

// excerpt writes a line and a caret below the column. Tabs stay tabs in both lines, so that the caret is where it belongs.
func excerpt(b *bytes.Buffer, text string, col int) {
	if strings.TrimSpace(text) == "" {
		return
	}
	rs := []rune(text)
	before, behind := "", ""
	if col > maxExcerpt-20 && len(rs) > maxExcerpt {
		cut := min(col-40, len(rs))
		rs, col, before = rs[cut:], col-cut+1, "…"
	}
	if len(rs) > maxExcerpt {
		rs, behind = rs[:maxExcerpt], "…"
	}
	shown := before + string(rs) + behind
	fmt.Fprintf(b, "  %s\n", shown)
	if col < 1 || col > utf8.RuneCountInString(shown)+1 {
		return
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(shown)[:col-1]))
	fmt.Fprintf(b, "  %s^\n", pad)
}

// jsonDiagnostic is a finding as programs read it.
type jsonDiagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"`
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// JSON writes findings as one array, which is empty when there are none.
func JSON(w io.Writer, ds []Diagnostic) error {
	out := make([]jsonDiagnostic, len(ds))
	for i, d := range ds {
		out[i] = jsonDiagnostic{d.Pos.File, d.Pos.Line, d.Pos.Col, d.Severity.String(), d.Rule, d.Message, d.Hint}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// GitHub writes findings as the workflow commands that GitHub Actions shows beside the lines.
func GitHub(w io.Writer, ds []Diagnostic) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	level := map[Severity]string{Error: "error", Warning: "warning", Info: "notice"}
	for _, d := range ds {
		text := d.Message
		if d.Hint != "" {
			text += "\n" + d.Hint
		}
		place := "file=" + property.Replace(d.Pos.File)
		if d.Pos.Line > 0 {
			place += fmt.Sprintf(",line=%d", d.Pos.Line)
		}
		if d.Pos.Col > 0 {
			place += fmt.Sprintf(",col=%d", d.Pos.Col)
		}
		if _, err := fmt.Fprintf(w, "::%s %s,title=%s::%s\n", level[d.Severity], place, property.Replace(d.Rule),
			data.Replace(text)); err != nil {
			return err
		}
	}
	return nil
}
