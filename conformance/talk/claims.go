package talk

import "time"

// ExpiresAt returns when the claims hold no more; the zero time is never.
func (c *Claims) ExpiresAt() time.Time {
	if c.Until == nil {
		return time.Time{}
	}
	return *c.Until
}
