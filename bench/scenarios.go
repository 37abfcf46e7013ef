package main

import (
	"time"

	"github.com/wsgen/wsgen/bench/load"
)

// scenario is a kind of load.
type scenario struct {
	name  string
	title string
	spec  load.Spec
	idle  bool // nothing is sent; what counts is memory
}

// scenarios are the loads of the table. div makes them smaller.
func scenarios(div int) []scenario {
	return []scenario{
		{name: "hot-room", title: "1 room of 1,000, 16 in flight", spec: load.Spec{Rooms: 1, Members: 1000, Messages: 600 / div,
			Window: 16}},
		{name: "small-rooms", title: "200 rooms of 10, 4 in flight", spec: load.Spec{Rooms: 200, Members: 10, Messages: 150 / div,
			Window: 4}},
		{name: "one-at-a-time", title: "1 room of 1,000, 1 in flight", spec: load.Spec{Rooms: 1, Members: 1000,
			Messages: 150 / div, Window: 1}},
		{name: "large-room", title: "1 room of 10,000, 4 in flight", spec: load.Spec{Rooms: 1, Members: 10_000 / div,
			Messages: 40, Window: 4}},
		{name: "stalled", title: "1 room of 1,000, 16 in flight, 10 members read nothing",
			spec: load.Spec{Rooms: 1, Members: 1000, Messages: 600 / div, Window: 16, Stalled: 10}},
		{name: "rpc", title: "requests on 100 connections", spec: load.Spec{Rooms: 10, Members: 10, Messages: 1200 / div,
			Requests: true}},
		{name: "idle", title: "10,000 connections, idle", spec: load.Spec{Rooms: 1000, Members: 10 / min(div, 2)}, idle: true},
	}
}

// timeLimit is what one cell may take.
const timeLimit = 40 * time.Second
