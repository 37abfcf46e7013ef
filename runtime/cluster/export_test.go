package cluster

// Assignment is assignment, for tests in package cluster_test.
var Assignment = assignment

// Kill ends a node without a word.
func Kill(n *Node) {
	n.retire()
	<-n.retired
	n.lease.Store(0)
	n.end()
}
