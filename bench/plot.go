package main

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// draw writes a picture of the server's CPU per delivery: a group of bars for each load, a bar for each peer.
func (t table) draw(scs []scenario, ps []*peer, path string) error {
	p := plot.New()
	p.Title.Text = "Server CPU per delivered message (µs, lower is better)"
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Left = true, true
	var labels []string
	var shown []scenario
	for _, sc := range scs {
		if !sc.idle && sc.name != "rpc" {
			labels = append(labels, sc.title)
			shown = append(shown, sc)
		}
	}
	width := vg.Points(60 / float64(len(ps)))
	for i, peer := range ps {
		values := make(plotter.Values, len(shown))
		for j, sc := range shown {
			if c := t.at(sc.name, peer.name); len(c.samples) > 0 {
				values[j] = c.median(cpuOf)
			}
		}
		bars, err := plotter.NewBarChart(values, width)
		if err != nil {
			return err
		}
		bars.Color = shade(i)
		bars.LineStyle.Width = 0
		bars.Offset = width * vg.Length(float64(i)-float64(len(ps)-1)/2)
		p.Add(bars)
		p.Legend.Add(peer.name, bars)
	}
	p.NominalX(labels...)
	return p.Save(vg.Points(180*float64(len(shown))), 12*vg.Centimeter, path)
}

// shade returns the colour of the i-th peer. The first stands out.
func shade(i int) color.Color {
	if i == 0 {
		return color.RGBA{R: 0x1a, G: 0x73, B: 0xe8, A: 0xff}
	}
	grey := uint8(0x40 + 0x18*i)
	return color.RGBA{R: grey, G: grey, B: grey, A: 0xff}
}
