# A managed Prometheus with the rules of infra/monitoring: one source for one machine and for many.

locals {
  rules = var.has_monitoring ? fileset("${path.module}/../../monitoring/rules", "*.yml") : toset([])
}

resource "aws_prometheus_workspace" "this" {
  count = var.has_monitoring ? 1 : 0
  alias = var.name
  tags  = local.tags
}

resource "aws_prometheus_rule_group_namespace" "this" {
  for_each     = local.rules
  name         = trimsuffix(each.value, ".yml")
  workspace_id = aws_prometheus_workspace.this[0].id
  data         = file("${path.module}/../../monitoring/rules/${each.value}")
}

resource "aws_prometheus_scraper" "this" {
  count = var.has_monitoring ? 1 : 0
  alias = var.name
  tags  = local.tags

  source {
    eks {
      cluster_arn = aws_eks_cluster.this.arn
      subnet_ids  = var.subnet_ids
    }
  }

  destination {
    amp {
      workspace_arn = aws_prometheus_workspace.this[0].arn
    }
  }

  # The job is the name of the component, as in infra/monitoring/prometheus.yml: the rules ask for it.
  scrape_configuration = yamlencode({
    global = { scrape_interval = "15s" }
    scrape_configs = [for job, component in { tts = "tts", tts-agent = "agent" } : {
      job_name              = job
      kubernetes_sd_configs = [{ role = "pod", namespaces = { names = [var.namespace] } }]
      relabel_configs = [
        { source_labels = ["__meta_kubernetes_pod_label_app_kubernetes_io_component"], regex = component, action = "keep" },
        { source_labels = ["__meta_kubernetes_pod_container_port_name"], regex = "http", action = "keep" },
        { source_labels = ["__meta_kubernetes_pod_name"], target_label = "pod" },
        { source_labels = ["__meta_kubernetes_namespace"], target_label = "namespace" },
      ]
    }]
  })
}

resource "aws_prometheus_alert_manager_definition" "this" {
  count        = var.has_monitoring && var.alert_topic_arn != "" ? 1 : 0
  workspace_id = aws_prometheus_workspace.this[0].id
  definition = yamlencode({
    alertmanager_config = yamlencode({
      route = {
        receiver = "sns"
        group_by = ["alertname", "job"]
      }
      receivers = [{
        name        = "sns"
        sns_configs = [{ topic_arn = var.alert_topic_arn, sigv4 = { region = split(":", var.alert_topic_arn)[3] } }]
      }]
    })
  })
}
