package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/wsgen/wsgen/runtime/filestore"

	"github.com/wsgen/wsgen/examples/chat/chat"
	"github.com/wsgen/wsgen/examples/chat/lobby"
)

// deploy is what the tests of manifests, of the compose file and of the settings of NATS hold to the program, and to each other.
const deploy = "../../deploy/"

// known are the variables that a node reads from its environment.
var known = []string{"NATS_USER", "NATS_PASSWORD", "GOMEMLIMIT"}

// object is an object of Kubernetes, as far as the tests look at it.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct {
		Name        string
		Annotations map[string]string
	}
	Spec struct {
		Selector    yaml.Node // labels, or matchLabels
		ServiceName string    `yaml:"serviceName"`
		Replicas    int
		Ports       []struct {
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     pod
		}
		Rules []struct {
			HTTP struct {
				Paths []struct {
					Backend struct {
						Service struct {
							Name string
							Port struct{ Name string }
						}
					}
				}
			}
		}
		PodSelector          peer      `yaml:"podSelector"`
		Ingress              []ingress // of a policy
		VolumeClaimTemplates []named   `yaml:"volumeClaimTemplates"`
		MaxUnavailable       int       `yaml:"maxUnavailable"`
	}
}

type pod struct {
	Grace  int `yaml:"terminationGracePeriodSeconds"`
	Spread []struct {
		LabelSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	SecurityContext struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []container
	Volumes    []struct{ Name string }
}

type container struct {
	Name, Image string
	Args        []string
	Env         []struct{ Name, Value string }
	Ports       []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe   probe `yaml:"startupProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	Lifecycle      struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	Resources struct {
		Requests, Limits map[string]string
	}
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// ingress is what a policy lets in.
type ingress struct {
	From []struct {
		PodSelector peer `yaml:"podSelector"`
	}
	Ports []struct{ Port string }
}

// peer selects pods.
type peer struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type named struct{ Metadata struct{ Name string } }

// objects reads all documents of the manifests.
func objects(t *testing.T) map[string]*object {
	t.Helper()
	files, err := filepath.Glob(deploy + "kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	all := make(map[string]*object)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for docs := yaml.NewDecoder(bytes.NewReader(data)); ; {
			var o object
			if err := docs.Decode(&o); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			id := o.Kind + "/" + o.Metadata.Name
			if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" || all[id] != nil {
				t.Errorf("%s: %q is not complete, or there twice", file, id)
			}
			all[id] = &o
		}
	}
	return all
}

// labels returns what an object selects.
func (o *object) labels(t *testing.T) map[string]string {
	t.Helper()
	var direct map[string]string
	var match struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	if o.Spec.Selector.Decode(&match) == nil && match.MatchLabels != nil {
		return match.MatchLabels
	}
	if err := o.Spec.Selector.Decode(&direct); err != nil {
		t.Fatal(err)
	}
	return direct
}

// TestManifestsFitTogether finds what every name and label in the manifests means.
func TestManifestsFitTogether(t *testing.T) {
	all := objects(t)
	for _, id := range []string{
		"StatefulSet/chat", "StatefulSet/nats", "Service/chat", "Service/chat-nodes", "Service/nats", "Ingress/chat",
		"PodDisruptionBudget/chat", "PodDisruptionBudget/nats", "NetworkPolicy/nats",
	} {
		if all[id] == nil {
			t.Fatalf("no %s", id)
		}
	}
	for id, o := range all {
		switch o.Kind {
		case "Service", "PodDisruptionBudget":
			set := all["StatefulSet/"+o.labels(t)["app"]]
			if set == nil {
				t.Errorf("%s selects no pods", id)
				continue
			}
			for _, p := range o.Spec.Ports {
				if _, ok := set.container().port(p.TargetPort); p.TargetPort != "" && !ok {
					t.Errorf("%s: the pods have no port %q", id, p.TargetPort)
				}
			}
			if o.Kind == "PodDisruptionBudget" && o.Spec.MaxUnavailable != 1 {
				t.Errorf("%s lets %d pods go at a time", id, o.Spec.MaxUnavailable)
			}
		case "StatefulSet":
			o.check(t, all)
		case "NetworkPolicy":
			o.checkPolicy(t, all)
		case "Ingress":
			service := o.Spec.Rules[0].HTTP.Paths[0].Backend.Service
			if all["Service/"+service.Name] == nil || service.Port.Name != "http" {
				t.Errorf("%s leads to %+v", id, service)
			}
			if quiet, _ := strconv.Atoi(o.Metadata.Annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]); quiet < 60 {
				t.Errorf("%s ends quiet connections after %d seconds: nodes ping every 25", id, quiet)
			}
		}
	}
}

// checkPolicy checks that servers let each other in as servers, nodes and publishers as clients, and nobody else.
func (o *object) checkPolicy(t *testing.T, all map[string]*object) {
	t.Helper()
	set := all["StatefulSet/"+o.Spec.PodSelector.MatchLabels["app"]]
	if set == nil {
		t.Fatalf("the policy selects %v", o.Spec.PodSelector)
	}
	allowed := make(map[string][]string)
	for _, in := range o.Spec.Ingress {
		for _, p := range in.Ports {
			if _, ok := set.container().port(p.Port); !ok {
				t.Errorf("the policy names a port %q", p.Port)
			}
			for _, from := range in.From {
				for label, value := range from.PodSelector.MatchLabels {
					allowed[p.Port] = append(allowed[p.Port], label+"="+value)
				}
			}
		}
	}
	want := map[string][]string{"cluster": {"app=nats"}, "client": {"app=chat", "chat-publisher=true"}}
	if !maps.EqualFunc(allowed, want, slices.Equal) {
		t.Errorf("the policy lets in %v, not %v", allowed, want)
	}
}

func (o *object) container() *container { return &o.Spec.Template.Spec.Containers[0] }

func (c *container) port(name string) (int, bool) {
	for _, p := range c.Ports {
		if p.Name == name {
			return p.ContainerPort, true
		}
	}
	return 0, false
}

// check checks a stateful set.
func (o *object) check(t *testing.T, all map[string]*object) {
	t.Helper()
	spec, c := &o.Spec.Template.Spec, o.container()
	app := o.labels(t)["app"]
	if o.Spec.Template.Metadata.Labels["app"] != app || all["Service/"+o.Spec.ServiceName] == nil || o.Spec.Replicas != 3 {
		t.Errorf("%s: labels, service or replicas are wrong", app)
	}
	if !spec.SecurityContext.RunAsNonRoot || len(spec.Spread) == 0 {
		t.Errorf("%s runs as root, or all of it on one machine", app)
	}
	for _, s := range spec.Spread {
		if s.LabelSelector.MatchLabels["app"] != app {
			t.Errorf("%s is spread by the labels of another", app)
		}
	}
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if _, ok := c.port(p.HTTPGet.Port); !ok || p.HTTPGet.Path == "" {
			t.Errorf("%s: probe of %+v", app, p.HTTPGet)
		}
	}
	for _, m := range c.VolumeMounts {
		if !slices.ContainsFunc(spec.Volumes, func(v struct{ Name string }) bool { return v.Name == m.Name }) &&
			!slices.ContainsFunc(o.Spec.VolumeClaimTemplates, func(v named) bool { return v.Metadata.Name == m.Name }) {
			t.Errorf("%s: no volume %q", app, m.Name)
		}
	}
	if c.Resources.Requests["cpu"] == "" || c.Resources.Requests["memory"] != c.Resources.Limits["memory"] {
		t.Errorf("%s: resources %+v", app, c.Resources)
	}
	limit, most := mebibytes(t, c.Resources.Limits["memory"]), mebibytes(t, c.env("GOMEMLIMIT"))
	if most >= limit || most*10 < limit*8 {
		t.Errorf("%s: GOMEMLIMIT %d MiB of %d MiB", app, most, limit)
	}
}

func (c *container) env(name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// mebibytes reads an amount such as 1Gi or 900MiB.
func mebibytes(t *testing.T, s string) int {
	t.Helper()
	m := regexp.MustCompile(`^(\d+)([MG])i?B?$|^(\d+)m$`).FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no amount of memory: %q", s)
	}
	n, _ := strconv.Atoi(m[1] + m[3])
	if m[2] == "G" {
		n *= 1024
	}
	return n
}

// TestManifestRunsTheProgram reads the command line of a node as the program does.
func TestManifestRunsTheProgram(t *testing.T) {
	set := objects(t)["StatefulSet/chat"]
	c := set.container()
	var names []string
	for _, e := range c.Env {
		names = append(names, e.Name)
	}
	args := make([]string, len(c.Args))
	for i, arg := range c.Args {
		args[i] = regexp.MustCompile(`\$\((\w+)\)`).ReplaceAllStringFunc(arg, func(v string) string {
			name := v[2 : len(v)-1]
			if !slices.Contains(names, name) {
				t.Errorf("%s is not in the environment", v)
			}
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
			return "chat-0"
		})
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("nobody reads %s", name)
		}
	}
	cfg := checkNode(t, args)
	if cfg.node != "chat-0" {
		t.Errorf("the node is %q", cfg.node)
	}
	for name, addr := range map[string]string{"http": cfg.addr, "debug": cfg.debug} {
		if port, _ := c.port(name); ":"+strconv.Itoa(port) != addr {
			t.Errorf("port %s is %d, and the program listens on %s", name, port, addr)
		}
	}
	if c.VolumeMounts[0].MountPath != cfg.data {
		t.Errorf("%s is not kept", cfg.data)
	}
	stop := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	if grace := time.Duration(set.Spec.Template.Spec.Grace) * time.Second; grace < stop+cfg.drain+10*time.Second {
		t.Errorf("%v are too few for preStop and a drain of %v", grace, cfg.drain)
	}
	checkServers(t, cfg, func(host string) bool { return regexp.MustCompile(`^nats-[0-2]\.nats$`).MatchString(host) })
	a := set.Spec.Template.Metadata.Annotations
	if a["prometheus.io/path"] != "/metrics" || ":"+a["prometheus.io/port"] != cfg.debug {
		t.Errorf("Prometheus reads %v", a)
	}
	served := newHandler(t)
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		w := httptest.NewRecorder()
		if served.ServeHTTP(w, httptest.NewRequest(http.MethodGet, p.HTTPGet.Path, nil)); w.Code != http.StatusOK {
			t.Errorf("%s answers %d", p.HTTPGet.Path, w.Code)
		}
	}
}

// checkNode parses the command line of a node of a cluster.
func checkNode(t *testing.T, args []string) *config {
	t.Helper()
	cfg, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.node == "" || cfg.supervised {
		t.Errorf("%v is no node by itself", args)
	}
	return cfg
}

// checkServers looks for the hosts that a node connects to.
func checkServers(t *testing.T, cfg *config, known func(host string) bool) {
	t.Helper()
	servers := splitList(cfg.cluster)
	if len(servers) != 3 {
		t.Errorf("NATS servers: %v", servers)
	}
	for _, s := range servers {
		if u, err := url.Parse(s); err != nil || !known(u.Hostname()) || u.Port() != "4222" {
			t.Errorf("there is no NATS server %s", s)
		}
	}
}

// newHandler returns what a node serves, without a cluster.
func newHandler(t *testing.T) http.Handler {
	t.Helper()
	store, err := filestore.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := chat.Config{Authenticate: lobby.Authenticate, OpenRoom: lobby.Open}
	cfg.Store = store
	srv, err := chat.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Drain(context.Background()) })
	return (&config{}).handler(srv)
}
