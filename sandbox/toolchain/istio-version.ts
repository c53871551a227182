/**
 * What istiod answers when it is asked, and what images and proxies say they are: the release's branch and the commit that go/istiod/go.mod pins, as
 * Istio's release numbers are no versions of its Go module.
 */
export const istioVersion = '1.31-eed52ebb66ad';
