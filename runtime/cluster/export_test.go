package cluster

// Assignment is assignment, for tests in package cluster_test.
var Assignment = assignment
