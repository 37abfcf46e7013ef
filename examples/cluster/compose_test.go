package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// compose is a compose file, as far as the tests look at it.
type compose struct {
	Services map[string]struct {
		Image       string
		Command     []string
		Environment map[string]string
		Ports       []string
		Volumes     []string
		DependsOn   []string `yaml:"depends_on"`
		Grace       string   `yaml:"stop_grace_period"`
		Memory      string   `yaml:"mem_limit"`
		Networks    map[string]struct{ Aliases []string }
	}
	Volumes map[string]any
}

// TestCompose reads the command lines of the nodes as the program does, and finds whom they and the balancer talk to.
func TestCompose(t *testing.T) {
	data, err := os.ReadFile(deploy + "compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file compose
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	balancer, err := os.ReadFile(deploy + "haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	aliases := make(map[string]bool)
	for _, s := range file.Services {
		for _, n := range s.Networks {
			for _, a := range n.Aliases {
				aliases[a] = true
			}
		}
	}
	nodes := 0
	for name, s := range file.Services {
		for _, other := range s.DependsOn {
			if _, ok := file.Services[other]; !ok {
				t.Errorf("%s depends on %s", name, other)
			}
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, err := os.Stat(deploy + source); file.Volumes[source] == nil && (err != nil || !strings.HasPrefix(source, "./")) {
				t.Errorf("%s: no volume %s", name, source)
			}
		}
		if s.Image != "chat" {
			continue
		}
		nodes++
		cfg := checkNode(t, s.Command)
		checkServers(t, cfg, func(host string) bool { return aliases[host] })
		if cfg.node != name || !slices.Contains(s.Volumes, name+":"+cfg.data) || !strings.HasSuffix(s.Ports[0], cfg.debug) {
			t.Errorf("%s: %+v", name, s)
		}
		if grace, err := time.ParseDuration(s.Grace); err != nil || grace < cfg.drain+10*time.Second {
			t.Errorf("%s: %s are too few for a drain of %v", name, s.Grace, cfg.drain)
		}
		for v := range s.Environment {
			if !slices.Contains(known, v) {
				t.Errorf("%s: nobody reads %s", name, v)
			}
		}
		if limit, most := mebibytes(t, s.Memory), mebibytes(t, s.Environment["GOMEMLIMIT"]); most >= limit {
			t.Errorf("%s: GOMEMLIMIT %d MiB of %d MiB", name, most, limit)
		}
		if want := fmt.Sprintf("server %s %s%s\n", name, name, cfg.addr); !strings.Contains(string(balancer), want) {
			t.Errorf("haproxy.cfg has no %q", want)
		}
	}
	if nodes != 3 || len(file.Services) != 7 || !strings.Contains(string(balancer), "httpchk GET /readyz\n") {
		t.Errorf("%d nodes in %d services, or no probe", nodes, len(file.Services))
	}
}

// TestDockerfile reads what the image runs by default as the program does.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile(deploy + "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	cmd := regexp.MustCompile(`(?m)^CMD \[(.*)\]$`).FindStringSubmatch(text)
	if cmd == nil {
		t.Fatal("no CMD")
	}
	var args []string
	if err := yaml.Unmarshal([]byte("["+cmd[1]+"]"), &args); err != nil {
		t.Fatal(err)
	}
	cfg, err := parse(args)
	if err != nil || !strings.Contains(text, "EXPOSE "+cfg.addr[1:]+" ") || !strings.Contains(text, " "+cfg.data+"\n") {
		t.Errorf("%v: %+v", err, cfg)
	}
	for _, want := range []string{"CGO_ENABLED=0", "USER nonroot:nonroot", `ENTRYPOINT ["/chat"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY (?:--\S+ )*(\S+go\.mod) `).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Error(err)
		}
	}
}
