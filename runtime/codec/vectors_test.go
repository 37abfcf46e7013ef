package codec_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wsgen/wsgen/runtime/codec"
)

var vectors = flag.String("vectors", "", "file for strings of each format with the verdicts, for clients in other languages")

// pieces are what strings are changed with: what means something in some format, and what never does.
var pieces = append(strings.Split("a Z 0 9 - . _ ~ : / ? # [ ] @ ! $ & ' ( ) * + , ; = % < > \" \\ ^ ` { | } ä 😀 %zz %25 %e4 %2 %41 :: [::1] // /// .. :80 IPv6: T Z P "+
	"+01:00 60 ~0 ~1 ~# http: a@b 00 255 256 1.2.3.4 \u0080 \u2028", " "), " ", "\t", "\n", "\r", "\x00", "\x01", "\x7f", "")

// moreSeeds are at edges that chance finds seldom.
var moreSeeds = []string{
	"a@b.", ` b@c`, "b@c ", `"a b<"@c`, "\"a\x01b<\"@c", "\"a\tb\"@c", `"a\"b"@c`, `""@c`, "\"é\"@c", strings.Repeat("é", 32) + "@c", strings.Repeat("é", 33) + "@c",
	"http://u%zz@h/", "http://u:p%41@h/", "http://<a>/", `http://a"b/`, "//h/\x01", "//h/#\x01", "http://a]/", "http://[::1%25a]/", "http://[1.2.3.4]/", "http://a:b@c:80/", "http://a:1:2/",
	"x://a:1:2/", "http://%25/", "http://%41/", "http://%e4/", "///a:b", "a/b:c", "?a:b", ":a", "*", "x:%zz", "x:/%zz", "http://a?%zz", "http://a#%zz", "HTTP://a", "1~#", "1/~#", "0", "00#", "01/a", "10/a/b", "1#a",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "-0", "+1", "1e3",
}

// TestVectors writes, for each format, strings that were made at random from a fixed seed.
func TestVectors(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 4))
	seeds := append(append([]string{""}, formatSeeds...), moreSeeds...)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	all := codec.Formats()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		taken := 0
		list := slices.Clone(seeds)
		good := slices.DeleteFunc(slices.Clone(seeds), func(s string) bool { return !all[name].Match(s) })
		for i := range 1500 {
			list = append(list, change(random, good, 1+i%3))
		}
		for _, s := range list {
			ok := all[name].Match(s)
			if ok {
				taken++
			}
			if err := enc.Encode(map[string]any{"format": name, "text": s, "ok": ok}); err != nil {
				t.Fatal(err)
			}
		}
		if taken < 20 || taken > len(list)-20 {
			t.Errorf("%s: %d of %d are taken, which tells little", name, taken, len(list))
		}
	}
	if *vectors == "" {
		return
	}
	if err := os.WriteFile(*vectors, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// change returns one of the strings with some changes, most of which leave it as long as it is.
func change(random *rand.Rand, list []string, times int) string {
	runes := []rune(list[random.IntN(len(list))])
	for range times {
		from := random.IntN(len(runes) + 1)
		to := min(from+random.IntN(2), len(runes))
		piece := pieces[random.IntN(len(pieces))]
		if digit := from < to && runes[from] >= '0' && runes[from] <= '9'; digit && random.IntN(2) == 0 {
			piece = strconv.Itoa(random.IntN(10))
		}
		runes = slices.Replace(runes, from, to, []rune(piece)...)
	}
	return string(runes)
}
