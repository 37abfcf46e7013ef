// Package hash has the hash functions that decide where things are: they are the same in every process, on every machine and in
// every release.
package hash

// FNV is FNV-1a of 64 bits over the bytes of s (Fowler, Noll and Vo). Its high bits are weak where s is short: see Mix.
func FNV(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// Mix is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): each bit of x
// decides about all bits of the result.
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
