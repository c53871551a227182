module kafka-bridge-failover/toolchain/istio-crds

go 1.24.0

require istio.io/api v1.31.4
