// The first process of a pod: it holds the pod's namespaces, takes what its containers orphan, and ends when asked.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for ended := 1; ended > 0; {
			ended, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
}
