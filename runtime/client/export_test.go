package client

// WithRandom replaces the source of jitter: f returns a number of 0 to n-1.
func WithRandom(f func(n int64) int64) Option { return optionFunc(func(o *options) { o.random = f }) }
