package codec

import "time"

// A clock is the time part of a date-time.
type clock struct {
	hour, minute, second, nano int
	offset                     int // seconds east of UTC
}

// parseDateTime reads an RFC 3339 date-time by hand: time.Parse knows no leap seconds, and takes 24-hour offsets and
// commas, which are wrong.
func parseDateTime(s []byte) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' && s[10] != 't' {
		return time.Time{}, false
	}
	day, ok := parseDate(s[:10])
	c, ok2 := parseClock(s[11:])
	if !ok || !ok2 {
		return time.Time{}, false
	}
	zone := time.UTC
	if c.offset != 0 {
		zone = time.FixedZone("", c.offset)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), c.hour, c.minute, c.second, c.nano, zone), true
}

// parseDate reads an RFC 3339 full-date.
func parseDate(s []byte) (time.Time, bool) {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	century, ok := twoDigits(s, 99)
	years, ok2 := twoDigits(s[2:], 99)
	month, ok3 := twoDigits(s[5:], 12)
	day, ok4 := twoDigits(s[8:], 31)
	if !ok || !ok2 || !ok3 || !ok4 {
		return time.Time{}, false
	}
	t := time.Date(century*100+years, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, t.Day() == day && t.Month() == time.Month(month)
}

// parseClock reads an RFC 3339 full-time. A leap second is taken only where one can be, at 23:59:60 UTC.
func parseClock(s []byte) (clock, bool) {
	var c clock
	if len(s) < len("15:04:05Z") || s[2] != ':' || s[5] != ':' {
		return c, false
	}
	var ok, ok2, ok3 bool
	c.hour, ok = twoDigits(s, 23)
	c.minute, ok2 = twoDigits(s[3:], 59)
	c.second, ok3 = twoDigits(s[6:], 60)
	if !ok || !ok2 || !ok3 {
		return c, false
	}
	if s = s[8:]; s[0] == '.' {
		n := 1
		for scale := 100_000_000; n < len(s) && isDigit(s[n]); n, scale = n+1, scale/10 {
			c.nano += int(s[n]-'0') * scale
		}
		if s = s[n:]; n == 1 {
			return c, false
		}
	}
	if c.offset, ok = parseOffset(s); !ok {
		return c, false
	}
	if c.second == 60 {
		minutes := c.hour*60 + c.minute - c.offset/60
		const day = 24 * 60
		if (minutes+day)%day != day-1 {
			return c, false
		}
	}
	return c, true
}

// parseOffset reads Z, z, +hh:mm or -hh:mm, and returns it in seconds.
func parseOffset(s []byte) (int, bool) {
	if len(s) == 1 {
		return 0, s[0] == 'Z' || s[0] == 'z'
	}
	if len(s) != len("+07:00") || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, ok := twoDigits(s[1:], 23)
	minutes, ok2 := twoDigits(s[4:], 59)
	offset := (hours*60 + minutes) * 60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok && ok2
}

// twoDigits reads the two digits that s begins with, of at most max.
func twoDigits(s []byte, max int) (int, bool) {
	if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	n := int(s[0]-'0')*10 + int(s[1]-'0')
	return n, n <= max
}
