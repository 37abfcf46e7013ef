package names

// maxEdits is how far a name may be off to be taken for a slip of the pen.
const maxEdits = 2

// Similar returns the candidate that s was probably meant to be, or "". Of several the nearest wins, and of those the
// first.
func Similar(s string, candidates []string) string {
	best, bestEdits := "", maxEdits+1
	for _, c := range candidates {
		if d := edits(s, c); d < bestEdits && 2*d < len([]rune(c)) {
			best, bestEdits = c, d
		}
	}
	return best
}

// edits returns the Damerau-Levenshtein distance in its optimal string alignment form: insertions, deletions, replacements
// and swaps of neighbours.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return maxEdits + 1
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range y {
		rows[0][j+1] = j + 1
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(x)][len(y)]
}
