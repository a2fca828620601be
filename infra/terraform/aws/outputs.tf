output "cluster_name" {
  description = "For `aws eks update-kubeconfig --name`, and for `release`."
  value       = aws_eks_cluster.this.name
}

output "bucket" {
  description = "Where weights are uploaded to: `aws s3 sync FOLDER s3://BUCKET/`."
  value       = aws_s3_bucket.models.bucket
}

output "namespace" {
  description = "Where the chart is to be installed."
  value       = var.namespace
}

output "service_account" {
  description = "The service account that may read the bucket."
  value       = var.service_account
}

output "prometheus_endpoint" {
  description = "For Grafana's data source and the autoscaler's queries; null without monitoring."
  value       = one(aws_prometheus_workspace.this[*].prometheus_endpoint)
}
