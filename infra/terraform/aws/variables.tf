variable "name" {
  description = "Name of the cluster, and the beginning of every other name."
  type        = string
  default     = "tts-ops"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "A name has 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "subnet_ids" {
  description = "Private subnets of your network, in at least two zones, with a way out to the registries of images."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "EKS wants subnets in at least two zones."
  }
}

variable "kubernetes_version" {
  description = "Version of Kubernetes, such as `1.33`."
  type        = string
  default     = "1.33"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "Such as 1.33, without a patch level: EKS chooses that."
  }
}

variable "public_access_cidrs" {
  description = "Addresses that may reach the API of the cluster from the internet; none: only your network reaches it."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Write addresses as CIDR, such as 203.0.113.7/32."
  }

  validation {
    condition     = !contains(var.public_access_cidrs, "0.0.0.0/0")
    error_message = "The whole internet is not accepted: name the addresses of those who operate the cluster."
  }
}

variable "admin_role_arns" {
  description = "IAM roles that may do everything in the cluster, beside the one that creates it."
  type        = list(string)
  default     = []
}

variable "cpu_nodes" {
  description = "Nodes for everything without a GPU: the agent, monitoring, the embedded voice."
  type = object({
    instance_types = optional(list(string), ["m7i.large"])
    min            = optional(number, 2)
    max            = optional(number, 4)
    disk_gib       = optional(number, 40)
  })
  default = {}

  validation {
    condition     = var.cpu_nodes.min >= 1 && var.cpu_nodes.min <= var.cpu_nodes.max
    error_message = "At least one node, and no more at first than at most."
  }
}

variable "gpu_nodes" {
  description = "Nodes with an NVIDIA GPU, for speech alone: they are tainted `nvidia.com/gpu=present:NoSchedule`."
  type = object({
    instance_types = optional(list(string), ["g6.xlarge"])
    min            = optional(number, 1)
    max            = optional(number, 4)
    disk_gib       = optional(number, 120)
    is_spot        = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.gpu_nodes.min >= 0 && var.gpu_nodes.min <= var.gpu_nodes.max && var.gpu_nodes.max >= 1
    error_message = "No fewer than 0 nodes, and no more at first than at most."
  }
}

variable "namespace" {
  description = "Namespace of the chart: pods there with `service_account` may read the bucket of models."
  type        = string
  default     = "tts-ops"
}

variable "service_account" {
  description = "Service account of the speech servers in that namespace."
  type        = string
  default     = "voice-agent"
}

variable "bucket_name" {
  description = "Name of the bucket of models, unique in all of S3; empty to let AWS choose one that begins with `name`."
  type        = string
  default     = ""
}

variable "has_monitoring" {
  description = "Whether there is a managed Prometheus that scrapes the cluster and evaluates the rules of `infra/monitoring`."
  type        = bool
  default     = true
}

variable "alert_topic_arn" {
  description = "SNS topic that alerts are sent to; empty: alerts fire, and nobody is told."
  type        = string
  default     = ""
}

variable "log_days" {
  description = "Days for which logs of the control plane are kept."
  type        = number
  default     = 30
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
