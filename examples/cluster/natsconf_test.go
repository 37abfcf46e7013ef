package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	natscluster "github.com/wsgen/wsgen/runtime/cluster/nats"
)

// TestNATSSettings starts a server with the settings, and connects to it as a node does.
func TestNATSSettings(t *testing.T) {
	t.Setenv("SERVER_NAME", "nats-0")
	t.Setenv("NATS_PASSWORD", "p123")
	o, err := server.ProcessConfigFile(deploy + "nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	c := &o.Cluster
	if o.ServerName != "nats-0" || !o.SyncAlways || o.PingInterval != 5*time.Second || o.MaxPingsOut != 2 ||
		c.PingInterval != 5*time.Second || c.MaxPingsOut != 2 || len(o.Routes) != 3 || o.Port != 4222 || c.Port != 6222 {
		t.Errorf("the settings are %+v", o)
	}
	for _, probed := range objects(t)["StatefulSet/nats"].container().Ports {
		if probed.ContainerPort != o.Port && probed.ContainerPort != c.Port && probed.ContainerPort != o.HTTPPort {
			t.Errorf("nobody listens on port %d", probed.ContainerPort)
		}
	}
	o.Host, o.Port, o.HTTPHost, o.HTTPPort = "127.0.0.1", server.RANDOM_PORT, "127.0.0.1", server.RANDOM_PORT
	o.StoreDir, o.NoSigs = t.TempDir(), true
	o.Cluster, o.Routes = server.ClusterOpts{}, nil // the others are not here
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	user := objects(t)["StatefulSet/chat"].container().env("NATS_USER")
	connect := func(password string) error {
		o := natscluster.Options{URL: s.ClientURL(), Namespace: "chat", NATS: []nats.Option{nats.UserInfo(user, password)}}
		p, err := natscluster.Connect(ctx, o)
		if err == nil {
			p.Close()
		}
		return err
	}
	if err := connect("p123"); err != nil {
		t.Error(err)
	}
	if err := connect("wrong"); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("with another password: %v", err)
	}
	checkProbes(t, s.MonitorAddr())
}

// checkProbes asks a NATS server what the manifests ask.
func checkProbes(t *testing.T, addr net.Addr) {
	t.Helper()
	c := objects(t)["StatefulSet/nats"].container()
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		resp, err := http.Get("http://" + addr.String() + p.HTTPGet.Path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", p.HTTPGet.Path, resp.Status)
		}
	}
}
