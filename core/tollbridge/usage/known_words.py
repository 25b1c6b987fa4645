"""Words that names of fields are made of, in SolusIO's published interfaces and in others of the kind.

A key of an answer is shown only if it consists of these, so a customer's name or a secret never is.
"""

_TEXT = """
access account accounted accounts action actions active activity actual added additional addon addons address
addresses agent aggregated all allow allowed amount amounts and api app application applications apply area arp array
as at attempts attributes auth authorization auto autoupdate available average backup backups balance balances
bandwidth bandwidths base begin begins billable billed billing bits block blocks body boot brand bucket by bytes
calculated can cap capped captcha catalog catalogue category certificate change channel channels charge chargeable
charged charges class client clientid clients cloud clusters code color colour comment commission component components
compound compute computed condition conditions config configuration connection consumed consumption container content
contract core cores cost costs count counter country cpu create created creation credit credits cron currency current
currently custom customer customers cycle daily data database date day days decimals default definition delayed delete
deleted deletion description detail details device dhcp disable disabled discount discounts disk disks display dns
document documentation domain driver drivers duration editable effective email empty enable enabled encryption end
ended ending ends entity entries entry environment error errors event events exception exclude excluded existent
expiration expired expires extended external extra failed favicon feature features fee fees field fields file filter
final finish finished first fixed flag flat flavor footer force format fqdn fqdns fraction free from full gateway
generated gib gigabytes global grand gross group groups guid handling has header hidden hide history host hosting
hostname hour hourly hours http https icmp icon id identifier ids image images in included includes inclusive incoming
incremental index info init input instance instances integration interface internal interval invoice invoiced invoices
io iops ip ips is iso item items job kb key keys kib kind kvm label labels language languages last latest length level
libraries limit limits line lines link links list loaded location locations lock locked login logo machine machines
mail manager map max maximum mb measure measured measurement measurements member members memory message messages meta
metadata meter metered metering method metric metrics mib min minimum minute minutes mode model modified module money
month monthly months name names net netfilter network networks next node nodes non none not note notes notification
notifications number object objects of offer offers offset on one only operation option options or order orders os
outgoing output overage owner owners package packages page pages pagination paging paid parameters params parent
partial password path pay payment per percent percentage period periods permission permissions physical plan plans
policy pool port portmapper position post postpaid power powerdns ppp prefix prepaid present preserve prev previous
price prices pricing primary priority privileges processing processor product products profile progress project
projects property prorated provider provisioned provisioning public purchased quantities quantity query queue quota
ram random range rate rated rates raw real reason record records recovery recurring reduce reference region register
registration release removed remover reply report reported reporting reports request requested requests rescue
reserved reset resize resource resources response rest result results resume reverse role roles root row rows rule
rules run running runtime schedule scheduled scope script secondary seconds section security send sent separate
separator server serverid servers service services session setting settings shared short show since size sizes sla
slug smtp snapshot snapshots software solus solusio solusvm sort source specification specifications ssd ssh stamp
start started starting starts state statistic statistics stats status stop stopped storage strategy subscription
subscriptions subtotal suffix sum summary sums supported surcharge suspend suspended swap system table tag tags tap
target tariff task tasks tax taxable taxes template templated templates tenant term terminated terms test theme thin
thousands through till time timestamp timezone title to token tokens total totals traffic transfer trial ttl tun type
types uid unit units unlimited until update updated updates uptime upto url urls usage usages use used user userid
username users utc uuid value values vat vcpu vcpus vendor version versions virtual virtualization visible vm vmid vms
vnc volume volumes vps vs vz warning warnings web week weekly weight whmcs whole window with without year yearly zone
zones
"""

KNOWN_WORDS = frozenset(_TEXT.split())
