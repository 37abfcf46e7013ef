package cluster

// Assignment is assignment for nodes of equal weight, and slots that all of them read.
func Assignment(names []string, slots int) []string {
	nodes := make([]Candidate, len(names))
	for i, name := range names {
		nodes[i] = Candidate{name, 1, 0}
	}
	return AssignmentOf(nodes, make([]int, slots))
}

// Candidate is candidate, for tests in package cluster_test.
type Candidate struct {
	Name          string
	Weight, Reads int
}

// AssignmentOf is assignment.
func AssignmentOf(nodes []Candidate, needs []int) []string {
	all := make([]candidate, len(nodes))
	for i, n := range nodes {
		all[i] = candidate{n.Name, n.Weight, n.Reads}
	}
	return assignment(all, needs)
}

// Major is major.
var Major = major

// Kill ends a node without a word.
func Kill(n *Node) {
	n.retire()
	<-n.retired
	n.lease.Store(0)
	n.end()
}
