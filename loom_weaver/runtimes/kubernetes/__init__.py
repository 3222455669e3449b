"""Weavers as pods of a Kubernetes cluster."""
