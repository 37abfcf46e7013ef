package typescript

// This file says in words what the schema asks of values and messages, beyond what types say.

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wsgen/wsgen/internal/gen/jsonschema"
	schema "github.com/wsgen/wsgen/internal/jsonschema"
	"github.com/wsgen/wsgen/internal/model"
)

// described returns a text with the bounds of a type, in one line where that is short.
func described(text string, t *model.Type) string {
	text = strings.TrimSpace(text)
	facts := bounds(t)
	switch {
	case facts == "", text == "":
		return text + facts
	case strings.Contains(text, "\n") || len(text) > 80:
		return paragraphs(text, facts)
	case strings.HasSuffix(text, "."):
		return text + " " + facts + "."
	}
	return text + "; " + facts
}

// bounds returns the bounds of a type, such as "1 to 64 characters"; "" when it has none of its own.
func bounds(t *model.Type) string {
	switch units := map[model.Kind]string{model.String: "character", model.Bytes: "byte", model.Array: "item", model.Tuple: "item",
		model.Map: "member", model.Object: "member"}; {
	case units[t.Kind] != "":
		parts := []string{sizes(t, units[t.Kind])}
		if knownFormat(t.Format) {
			parts = append(parts, t.Format)
		}
		if t.Kind == model.Array || t.Kind == model.Map {
			if each := bounds(t.Elem); each != "" {
				parts = append(parts, "each "+each)
			}
		}
		return strings.TrimPrefix(strings.Join(parts, ", "), ", ")
	case t.Kind == model.DateTime:
		return "date-time"
	case t.Min == "" && t.Max == "":
		return ""
	}
	least, most := "", ""
	if t.Kind.IsInt() || t.Kind == model.Int64Number || t.Kind == model.Uint64Number {
		if least, most = jsonschema.LenientRange(t.Kind); t.Kind == model.Int {
			least, most = schema.IntRanges[""][0], schema.IntRanges[""][1]
		}
	}
	return between(t.Min, t.Max, least, most)
}

// between returns the bounds of numbers; those of the type go without saying.
func between(min, max, least, most string) string {
	switch {
	case min == least && max == most:
		return ""
	case max == most:
		return "at least " + min
	case min == least:
		return "at most " + max
	}
	return min + " to " + max
}

// sizes returns the bounds of a size.
func sizes(t *model.Type, unit string) string {
	min, max := 0, -1
	if t.MinLen != nil {
		min = *t.MinLen
	}
	if t.MaxLen != nil {
		max = *t.MaxLen
	}
	text, last := strconv.Itoa(min)+" to "+strconv.Itoa(max), max
	switch {
	case t.Kind == model.Tuple || min <= 0 && max < 0: // the type of a tuple says how many there are
		return ""
	case max < 0:
		text, last = "at least "+strconv.Itoa(min), min
	case min == max:
		text = strconv.Itoa(max)
	case min == 0:
		text = "at most " + strconv.Itoa(max)
	}
	if last != 1 {
		unit += "s"
	}
	return text + " " + unit
}

// methodDoc is the comment of the method that sends a message.
func methodDoc(api *model.API, m *model.Message) string {
	var facts []string
	add := func(when bool, format string, args ...any) {
		if when {
			facts = append(facts, fmt.Sprintf(format, args...))
		}
	}
	r := m.Request
	if r == nil {
		add(true, "Sends %s. Returns false when the client is closed, or its queue is full.", m.Wire)
	} else {
		var codes []string
		for _, e := range r.Errors {
			codes = append(codes, e.Wire)
		}
		add(true, "Sends %s and waits for its answer.", m.Wire)
		add(len(codes) > 0, "Its errors include %s.", strings.Join(codes, ", "))
		add(r.Timeout != model.DefaultTimeout, "The answer may take %s.", r.Timeout)
		add(r.Idempotent, "It is sent again after a lost connection.")
	}
	if m.Rate != nil {
		add(true, "The server takes %s.", rateText(m.Rate))
	}
	add(m.MaxBytes != api.Limits.MaxBytes, "Its frame may have %d bytes.", m.MaxBytes)
	return paragraphs(strings.Join(facts, " "), m.Doc, messageDeprecated(m))
}

// rateText returns a rate, such as "10 per second by user, up to 20 at once".
func rateText(r *model.Rate) string {
	per := map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour"}[r.Per]
	if per == "" {
		per = r.Per.String()
	}
	text := fmt.Sprintf("%d per %s", r.Limit, per)
	if r.By != "" && r.By != "connection" {
		text += " by " + r.By
	}
	if r.Burst != r.Limit {
		text += fmt.Sprintf(", up to %d at once", r.Burst)
	}
	return text
}

// messageDeprecated returns the tag of a deprecated message, with the day on which it goes away; only that for one that is
// not deprecated yet.
func messageDeprecated(m *model.Message) string {
	switch {
	case m.Sunset == "":
		return deprecated(m.Deprecated)
	case m.Deprecated == "":
		return "It goes away on " + m.Sunset + "."
	}
	return strings.TrimRight(deprecated(m.Deprecated), ".") + ". It goes away on " + m.Sunset + "."
}
