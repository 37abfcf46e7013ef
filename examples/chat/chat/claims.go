// This file is written by hand: generate leaves it as it is.

package chat

import "time"

// ExpiresAt is when the server asks who a connection is: it is closed with 4401 then, and a client gets itself a new token.
func (c *Claims) ExpiresAt() time.Time {
	if c.Expires == nil {
		return time.Time{}
	}
	return *c.Expires
}
