# What runs in the cluster. A root of its own, with a state of its own: a provider that is configured from a cluster
# made in the same run cannot plan before that cluster is there, and cannot destroy after it is gone.

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

data "aws_eks_cluster_auth" "this" {
  name = var.cluster_name
}

provider "helm" {
  kubernetes = {
    host                   = data.aws_eks_cluster.this.endpoint
    cluster_ca_certificate = base64decode(data.aws_eks_cluster.this.certificate_authority[0].data)
    token                  = data.aws_eks_cluster_auth.this.token
  }
}

resource "helm_release" "device_plugin" {
  name       = "nvidia-device-plugin"
  repository = "https://nvidia.github.io/k8s-device-plugin"
  chart      = "nvidia-device-plugin"
  version    = var.device_plugin_version
  namespace  = "kube-system"
}

resource "helm_release" "voice_agent" {
  name             = "voice-agent"
  chart            = "${path.module}/../../k8s/helm/voice-agent"
  namespace        = var.namespace
  create_namespace = true
  values           = [for path in var.values_files : file(path)]
  # Copying and loading large weights takes minutes, pod after pod; a release that does not get ready is rolled back.
  timeout = 2400
  atomic  = true

  depends_on = [helm_release.device_plugin]
}
