package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/wsgen/wsgen/bench/load"
)

// sample is what one run of a scenario against a peer has shown. Figures that do not apply are 0.
type sample struct {
	CPU            float64 // of the server for a delivery or an answer, in µs
	P50, P99, P999 float64 // ms
	Rate           float64 // deliveries or answers in a second
	RSS            float64 // of an idle connection, in KB
	Live           float64 // heap and stacks of an idle connection after a collection, in KB
	Goroutines     float64 // for an idle connection
	Allocs         float64 // for a delivery or an answer
}

// measure runs a scenario once against a peer. profile is the folder for a profile of the server; empty: none is taken.
func measure(ctx context.Context, sc scenario, p *peer, binary, profile string) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	srv, err := start(ctx, binary, p.flags)
	if err != nil {
		return sample{}, err
	}
	defer srv.stop()
	if sc.idle {
		return measureIdle(ctx, sc, p, srv)
	}
	spec := specOf(sc, p, srv)
	var out sample
	var before memory
	var cpu time.Duration
	profiled := make(chan error, 1)
	result, err := load.Run(ctx, spec, load.Hooks{
		Ready: func() {
			time.Sleep(300 * time.Millisecond) // what the joins caused is over
			before, _ = srv.memory()
			if profile != "" {
				go func() { profiled <- srv.profile(filepath.Join(profile, sc.name+"-"+p.name)) }()
			}
			cpu = srv.cpu()
		},
		Done: func() { cpu = srv.cpu() - cpu },
	})
	if profile != "" && err == nil {
		err = <-profiled
	}
	if err != nil {
		return sample{}, err
	}
	after, err := srv.memory()
	if err != nil {
		return sample{}, err
	}
	n := float64(result.Deliveries)
	out.CPU = float64(cpu.Nanoseconds()) / 1e3 / n
	out.Allocs = (after.Mallocs - before.Mallocs) / n
	out.Rate = n / result.Took.Seconds()
	out.P50, out.P99, out.P999 = ms(result.P50), ms(result.P99), ms(result.P999)
	return out, nil
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// specOf fills a scenario's load with how a peer is spoken to.
func specOf(sc scenario, p *peer, srv *server) load.Spec {
	spec := sc.spec
	spec.Addr, spec.Subprotocol = srv.addr, p.sub
	if spec.Requests {
		spec.Path, spec.Hello, spec.Ready, spec.Message = p.rpcPath, p.rpcHello, p.rpcReady, p.rpc
	} else {
		spec.Path, spec.Hello, spec.Ready, spec.Message = p.path, p.hello, p.ready, p.text()
	}
	return spec
}

// measureIdle holds connections that do nothing.
func measureIdle(ctx context.Context, sc scenario, p *peer, srv *server) (sample, error) {
	n := float64(sc.spec.Rooms * sc.spec.Members)
	goroutines := srv.collect()
	before, err := srv.memory()
	if err != nil {
		return sample{}, err
	}
	rss := srv.rss()
	var out sample
	_, err = load.Run(ctx, specOf(sc, p, srv), load.Hooks{Ready: func() {
		time.Sleep(2 * time.Second) // what the joins caused is over
		out.RSS = (srv.rss() - rss) / n / 1024
		out.Goroutines = (srv.collect() - goroutines) / n
		after, _ := srv.memory()
		out.Live = (after.HeapAlloc + after.StackInuse - before.HeapAlloc - before.StackInuse) / n / 1024
	}})
	if err == nil && out.RSS == 0 {
		err = fmt.Errorf("%s: no figures", p.name)
	}
	return out, err
}
