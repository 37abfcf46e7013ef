package codec

// Skip passes over the current value.
func (d *Decoder) Skip() { d.scan() }

// Raw passes over the current value and returns its text, which is part of the input; nil after a syntax error.
func (d *Decoder) Raw() []byte { return d.scan() }

// scan passes over the current value and returns its text without white space around it; nil after a syntax error.
func (d *Decoder) scan() []byte {
	c := d.peek()
	start := d.pos
	if c == '{' || c == '[' {
		d.skipNested()
	} else {
		d.values.ResetBytes(d.data[d.pos:])
		raw, err := d.values.Raw()
		if err != nil {
			d.failed = true
		}
		d.pos += len(raw)
	}
	if d.failed {
		return nil
	}
	return d.data[start:d.pos]
}

// skipNested passes over an object or an array. It is a loop, because the sender chooses how deep it is.
func (d *Decoder) skipNested() {
	level := 0
	var objects uint64 // bit 0 is set when the innermost level is an object, bit 1 for the one around it, …
	for !d.failed {
		switch c := d.peek(); {
		case c != '{' && c != '[':
			d.scan()
		case len(d.path)+level == MaxDepth:
			d.addf("is nested deeper than %d levels", MaxDepth)
			d.skipBrackets()
		default:
			d.pos++
			level++
			objects <<= 1
			if c == '{' {
				objects |= 1
			}
			if d.peek() == closer(objects) {
				break
			}
			if c == '{' {
				d.skipKey()
			}
			continue
		}
		for !d.failed && level > 0 && d.peek() == closer(objects) {
			d.pos++
			level--
			objects >>= 1
		}
		if level == 0 {
			return
		}
		if d.peek() != ',' {
			d.failed = true
			return
		}
		d.pos++
		if objects&1 != 0 {
			d.skipKey()
		}
	}
}

// closer returns the bracket that closes the innermost level.
func closer(objects uint64) byte {
	if objects&1 != 0 {
		return '}'
	}
	return ']'
}

// skipKey passes over a key and the colon.
func (d *Decoder) skipKey() {
	if d.peek() != '"' {
		d.failed = true
		return
	}
	d.quoted()
	if d.failed || d.peek() != ':' {
		d.failed = true
		return
	}
	d.pos++
}

// skipBrackets passes over what is nested too deep: to the bracket that closes the one at d.pos. What is between is not
// looked at, but for strings; it is refused anyhow.
func (d *Decoder) skipBrackets() {
	depth := 0
	for d.pos < len(d.data) && !d.failed {
		switch d.data[d.pos] {
		case '"':
			d.quoted()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		d.pos++
		if depth == 0 {
			return
		}
	}
	d.failed = true
}
