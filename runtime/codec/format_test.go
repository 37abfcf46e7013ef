package codec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/wsgen/wsgen/runtime/codec"
)

// formats pairs each format with its name in JSON Schema.
var formats = map[string]codec.Format{
	"uuid": codec.FormatUUID, "date-time": codec.FormatDateTime, "date": codec.FormatDate, "time": codec.FormatTime,
	"duration": codec.FormatDuration, "email": codec.FormatEmail, "uri": codec.FormatURI, "uri-reference": codec.FormatURIReference,
	"hostname": codec.FormatHostname, "ipv4": codec.FormatIPv4, "ipv6": codec.FormatIPv6,
	"json-pointer": codec.FormatJSONPointer, "regex": codec.FormatRegex,
}

// formatSeeds are strings at the edges of the formats. Each is tried as each format.
var formatSeeds = strings.Fields(`
	123e4567-e89b-12d3-a456-426614174000 123E4567-E89B-12D3-A456-426614174000 123e4567e89b12d3a456426614174000 123e4567-e89b-12d3-a456-42661417400g
	123e4567-e89b-12d3-a456-4266141740000 2026-01-02T03:04:05Z 2026-01-02t03:04:05z 2026-01-02T03:04:05.123456789012Z 2026-01-02T03:04:05,5Z
	2026-01-02T03:04:05.Z 2026-01-02T03:04:05 2026-01-02T03:04:05+24:00 2026-01-02T03:04:05+23:59 2026-01-02T03:04:05-00:00 2026-01-02T03:04:60Z
	2026-12-31T23:59:60Z 2026-12-31T15:59:60-08:00 2026-12-31T22:59:60-01:00 2027-01-01T00:29:60+00:30 2027-01-01T00:29:60-00:30 2026-12-31T23:59:61Z
	2026-02-29T00:00:00Z 2024-02-29T00:00:00Z 2026-13-01T00:00:00Z 2026-00-01T00:00:00Z 2026-01-00T00:00:00Z 0000-01-01T00:00:00Z 2026-01-02T24:00:00Z
	2026-01-02T23:60:00Z 2026-1-2T03:04:05Z 2026-01-02T3:04:05Z 2026-01-02T03:04:05Zz 2026-01-02T03:04:05+0100 ２０２６-01-02T03:04:05Z
	2026-01-02 2026-04-31 2026-4-31 1998-01-01x 12:00:00Z 12:00:00 23:59:60Z 22:59:60Z 12:00:00.5+01:30 12:00:00.5+1:30 12:00:00z 12:00Z
	P P1 P1D P1Y2M3D PT1H2M3S P1YT1H P1W P1W2D PT P1DT P1M1Y PT1S1H P1H PT1D P1Y1D P1D2H PT1H1S P1YT PW P1,5D P1.5D P١Y PT0S P12W P1WT1H
	a@b a@b.c @b a@ a@-b.c a@b- a@[127.0.0.1] a@[127.0.0] a@[IPv6:::1] a@[IPv6:x] a"b@c "a\ b"@c a@b@c a..b@c .a@b a@b..c a@b_c äö@b ab
	http://a http://a/b?c#d //a /a a ? # http: http:a urn:a:b http://[::1] http://[::1 http://::1 http://[x] http://a:b http://a:80 %zz http://a%41 \ http:\\a
	a\b mailto:a@b ://a 1http://a http://a/ä a:b:c
	a-b a- -a a.-b a.b. a.b.. . a..b a_b 127.0.0.1 a.b-.c aA0.9 xn--a ä.b
	1.2.3.4 1.2.3 1.2.3.4.5 01.2.3.4 0.0.0.0 256.1.1.1 1.2.3. 1..2.3 1.2.3.4x 1.2.3.0x4 999999999999999999999.1.1.1 00.1.1.1 000.1.1.1 1.2.3.00
	:: ::1 1:: 1::2::3 ::ffff:1.2.3.4 ::ffff:1.2.3.456 fe80::1%eth0 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 12345:: :1 1: ::1/64
	/a /a~0b~1c /a~ /a~2 a/b #/a //a/ ~ /~
	a( a* (a) [a [^a] a{2} a{2,1} (?=a) \p{L} \Z \d \1 (?P<n>a) ^$
`)

// TestFormats compares every verdict with that of jsonschema/v5.
func TestFormats(t *testing.T) {
	seeds := append(formatSeeds, "", " ", "a b@c", "\n", "1.2.3.4\n", "2026-01-02\n",
		strings.Repeat("a", 63)+".b", strings.Repeat("a", 64)+".b", strings.Repeat("a.", 126)+"a", strings.Repeat("a.", 127)+"a", strings.Repeat("a", 64)+"@b", strings.Repeat("a", 65)+"@b",
		"a@"+strings.Repeat("b.", 126)+"b", "a@b\x00")
	for name, format := range formats {
		judge := jsonschema.Formats[name]
		for _, s := range seeds {
			if got, want := format.Match(s), judge(s); got != want {
				t.Errorf("%s %q: got %t, jsonschema/v5 says %t", name, s, got, want)
			}
		}
	}
}

// TestSignsAreNoDigits lists where the verdict is not that of jsonschema/v5, which takes a sign for a digit there.
func TestSignsAreNoDigits(t *testing.T) {
	for s, name := range map[string]string{
		"+1:00:00Z": "time", "12:-0:00Z": "time", "12:00:00+01:+1": "time", "2026-01-02T+3:00:00Z": "date-time", "+1.2.3.4": "ipv4", "1.2.-0.4": "ipv4",
	} {
		if !jsonschema.Formats[name](s) {
			t.Errorf("%s %q: jsonschema/v5 refuses it by now", name, s)
		}
		if formats[name].Match(s) {
			t.Errorf("%s %q was taken", name, s)
		}
	}
}

func FuzzFormats(f *testing.F) {
	for _, s := range formatSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, format := range formats {
			if strings.ContainsAny(s, "+-") && (name == "time" || name == "date-time" || name == "ipv4") {
				continue
			}
			if got, want := format.Match(s), jsonschema.Formats[name](s); got != want {
				t.Errorf("%s %q: got %t, jsonschema/v5 says %t", name, s, got, want)
			}
		}
	})
}

func TestTime(t *testing.T) {
	tests := map[string]string{ // as written → the same instant, as time.Parse takes it
		"2026-01-02T03:04:05Z":                "2026-01-02T03:04:05Z",
		"2026-01-02t03:04:05.5z":              "2026-01-02T03:04:05.5Z",
		"2026-01-02T03:04:05.1234567899999Z":  "2026-01-02T03:04:05.123456789Z",
		"2026-01-02T03:04:05+05:30":           "2026-01-02T03:04:05+05:30",
		"2026-12-31T23:59:60Z":                "2027-01-01T00:00:00Z",
		"2026-12-31T15:59:60.25-08:00":        "2026-12-31T16:00:00.25-08:00",
		"0000-01-01T00:00:00+23:59":           "0000-01-01T00:00:00+23:59",
		"9999-12-31T23:59:59.999999999-23:59": "9999-12-31T23:59:59.999999999-23:59",
	}
	for in, same := range tests {
		want, err := time.Parse(time.RFC3339Nano, same)
		if err != nil {
			t.Fatal(err)
		}
		var got time.Time
		if err := read(fmt.Sprintf("%q", in), codec.Strict, func(d *codec.Decoder) { got = d.Time() }); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
		if written := write(got, codec.WriteTime); written != `"`+same+`"` {
			t.Errorf("%s is written %s, want %s", in, written, same)
		}
	}
}
