package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a peer that runs.
type server struct {
	cmd         *exec.Cmd
	addr, debug string
	log         *os.File
	dir         string // where it may leave files
}

// start runs a peer and waits until it answers.
func start(ctx context.Context, binary string, flags []string) (*server, error) {
	s := &server{addr: freeAddr(), debug: freeAddr()}
	var err error
	if s.log, err = os.CreateTemp("", "wsgen-bench-*.log"); err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, binary, append([]string{"-addr", s.addr, "-debug", s.debug}, flags...)...)
	if s.dir, err = os.MkdirTemp("", "wsgen-bench-*"); err != nil {
		return nil, err
	}
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := s.memory(); err == nil {
			if c, err := net.Dial("tcp", s.addr); err == nil {
				c.Close()
				return s, nil
			}
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s does not answer; see %s", binary, s.log.Name())
}

// freeAddr returns an address of this machine that nobody listens on.
func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer l.Close()
	return l.Addr().String()
}

// stop ends the process.
func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.log.Close()
	_ = os.Remove(s.log.Name())
	_ = os.RemoveAll(s.dir)
}

// cpu returns the processor time that the process has used. Linux counts it in ns for each thread.
func (s *server) cpu() time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	var sum time.Duration
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}

// rss returns the resident memory of the process in bytes.
func (s *server) rss() float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024
		}
	}
	return 0
}

// memory is what the process says of itself.
type memory struct {
	Mallocs    float64
	HeapInuse  float64
	HeapAlloc  float64
	StackInuse float64
}

func (s *server) memory() (memory, error) {
	var vars struct{ Memstats memory }
	text, err := s.get("/debug/vars")
	if err == nil {
		err = json.Unmarshal(text, &vars)
	}
	return vars.Memstats, err
}

// collect makes the process collect its garbage, and returns the number of its goroutines.
func (s *server) collect() (goroutines float64) {
	for range 2 {
		_, _ = s.get("/debug/pprof/heap?gc=1")
	}
	text, _ := s.get("/debug/pprof/goroutine?debug=1")
	_, rest, _ := strings.Cut(string(text), "total ")
	first, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseFloat(first, 64)
	return n
}

// profile takes profiles of the process, for a second, and writes them to files.
func (s *server) profile(path string) error {
	for _, kind := range []string{"profile", "allocs"} { // the second is of all that was allocated since the start
		data, err := s.get("/debug/pprof/" + kind + map[string]string{"profile": "?seconds=1", "allocs": "?gc=1"}[kind])
		if err != nil {
			return err
		}
		if err := os.WriteFile(path+"."+kind, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) get(path string) ([]byte, error) {
	resp, err := http.Get("http://" + s.debug + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// raiseLimit lets this process, and those that it starts, open as many files as the system allows.
func raiseLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
