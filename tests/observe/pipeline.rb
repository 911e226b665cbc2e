# frozen_string_literal: true

# Runs log lines through fluentd's configuration without fluentd: the routing, and the regular
# expressions, JSON parsing and record transforms of the very file. Its plugins are not in
# Debian, so their rules are written down below from their documentation. They are imitated with the
# settings that the file gives them: any other setting, value or plugin is an error here, and so is
# what fluentd itself refuses. What stays untested is fluentd: tailing, buffers, the network.
#
#	ruby pipeline.rb FLUENT_CONF < lines > documents
#
# in:  {"tag": "kubernetes.var.log.containers.….log", "line": the bytes in base64}, one a line;
#      "refusals": [429, 400] where Elasticsearch refuses the line's document with these, one after the other
# out: {"index": "kubernetes-2026.01.31", "id": "…", "document": {…}}

require 'digest'
require 'json'
require 'time'

Section = Struct.new(:name, :argument, :settings, :children) do
  def [](key) = settings[key]
  def type = settings['@type']
  def child(wanted) = children.find { |c| c.name == wanted }

  # What it is set to, and what may be anything.
  def known(set, *free)
    others = settings.reject { |key, value| ['@type', '@id', *free].include?(key) || set[key] == value }
    others = others.keys + (set.keys - settings.keys)
    raise "#{name} #{type}: #{others.join(', ')} is not known here so" unless others.empty?
  end
end

def read_configuration(path)
  open = [Section.new('', nil, {}, [])]
  File.foreach(path, chomp: true) do |line|
    case line.strip
    when '', /\A#/ then next
    when %r{\A</(\w+)>\z}
      raise "#{line}: closes nothing" unless open.pop.name == $1
    when /\A<(\w+)(?: (.+))?>\z/
      open << Section.new($1, $2, {}, []).tap { |section| open.last.children << section }
    when /\A(\S+) (.+)\z/
      raise "#{line}: twice" if open.last.settings.key?($1)

      open.last.settings[$1] = $2
    else raise "not understood: #{line}"
    end
  end
  raise "#{open.last.name}: not closed" unless open.size == 1

  open.last
end

# fluentd's tag patterns: * is one part, a.** is a and all below it, {a,b} either.
def pattern_matches?(pattern, tag)
  source = Regexp.escape(pattern).gsub('\{', '(?:').gsub('\}', ')').gsub(',', '|')
  source = source.gsub('\.\*\*', '(?:\..+)?').gsub('\*\*', '.*').gsub('\*', '[^.]+')
  /\A#{source}\z/.match?(tag)
end

def regexp(text)
  raise "no regular expression: #{text}" unless text =~ %r{\A/(.*)/(m?)\z}m

  Regexp.new($1, $2 == 'm' ? Regexp::MULTILINE : 0)
end

# It has not the form at all; it has, but its time is none.
class Unparsed < StandardError; end
class BadTime < Unparsed; end

# [time or nil, record]. Without a key of its own the member "time" would be the time, and be gone.
def parse(rules, text)
  timed = rules['time_key'] ? { 'time_type' => 'string', 'keep_time_key' => 'true' } : {}
  rules.known(timed, 'expression', 'types', *(%w[time_key time_format] if rules['time_key']))
  record = rules.type == 'json' ? parse_json(rules, text) : parse_regexp(rules, text)
  return [nil, record] unless record.key?(rules['time_key'] || 'time')

  [parse_time(rules['time_format'], record.fetch(rules['time_key'])), record]
end

def parse_json(rules, text)
  raise 'what would become of "time"?' unless rules['time_key']

  JSON.parse(text).tap { |record| raise Unparsed, 'no object' unless record.is_a?(Hash) }
rescue JSON::ParserError => e
  raise Unparsed, e.message
end

def parse_regexp(rules, text)
  found = regexp(rules['expression']).match(text) or raise Unparsed, 'does not match'
  record = found.named_captures.compact
  numbers = (rules['types'] || '').split(',').map { |entry| entry.delete_suffix!(':integer') or raise entry }
  record.to_h { |name, value| [name, numbers.include?(name) ? value.to_i : value] }
end

def parse_time(format, value)
  raise BadTime, "time is no text: #{value}" unless value.is_a?(String)

  format == '%iso8601' ? Time.iso8601(value) : Time.strptime(value, format)
rescue ArgumentError => e
  raise BadTime, e.message
end

# Expressions of record_transformer see these names.
Scope = Struct.new(:record, :time, :tag) do
  # A value that is one placeholder keeps its type.
  def expand(text)
    return text unless text.include?('${')
    raise "more than one placeholder: #{text}" unless text.scan('${').size == 1 && text =~ /\A\$\{(.+)\}\z/

    instance_eval($1)
  end
end

class Pipeline
  attr_reader :documents

  def initialize(root)
    @root = root
    @labels = configure
    @source = root.child('source')
    @parts = Hash.new { |hash, key| hash[key] = [] }
    @documents = []
  end

  def take(tag, line, refusals)
    @refusals = refusals
    time, record = begin
      parse(@source.child('parse'), line)
    rescue Unparsed
      raise unless @source['emit_unmatched_lines'] == 'true'

      [Time.now, { 'unmatched_line' => line }]
    end
    run(@root, tag, time, record)
  end

  private

  # fluentd knows all labels but @ERROR before it configures the first plugin, and adds that one when it
  # has configured the plugins of all others (root_agent.rb, configure).
  def configure
    labels = @root.children.select { |c| c.name == 'label' }.group_by(&:argument)
    labels.each { |name, found| raise "Section <label #{name}> appears twice" if found.size > 1 }
    labels.transform_values!(&:first)
    labels.each { |name, label| find_labels(label, labels.keys - (name == '@ERROR' ? [] : ['@ERROR'])) }
    find_labels(@root, labels.keys)
    labels
  end

  def find_labels(parent, known)
    parent.children.reject { |c| c.name == 'label' }.each do |plugin|
      missing = [plugin['@label'], plugin['timeout_label']].compact - known
      raise "#{missing.first} label not found" unless missing.empty?
    end
  end

  def run(label, tag, time, record)
    label.children.each do |section|
      next unless %w[filter match].include?(section.name) && pattern_matches?(section.argument, tag)
      return deliver(label, section, tag, time, record) if section.name == 'match'

      time, record = send("filter_#{section.type}", section, tag, time, record)
      return if record.nil?
    end
    raise "#{tag} leads nowhere"
  rescue Unparsed
    fail_over(tag, time, record)
  end

  def fail_over(tag, time, record) = run(@labels.fetch('@ERROR'), tag, time, record)

  def deliver(label, section, tag, time, record)
    case section.type
    when 'relabel' then run(@labels.fetch(section['@label']), tag, time, record)
    when 'rewrite_tag_filter' then rewrite(label, section, tag, time, record)
    when 'elasticsearch' then index(label, section, tag, time, record)
    else raise "#{section.type} is not known here"
    end
  end

  def rewrite(label, section, tag, time, record)
    section.children.each { |rule| rule.known({}, 'key', 'pattern', 'tag') }
    rule = section.children.find { |r| regexp(r['pattern']).match?(record[r['key']].to_s) }
    run(label, rule['tag'].sub('${tag}', tag), time, record) if rule
  end

  # Unless they are set so: the index is not by day, what has no id is dropped, and a full queue makes
  # the plugin give up the whole chunk.
  STORED = { 'logstash_format' => 'true', 'utc_index' => 'true', 'id_key' => '_hash',
             'write_operation' => 'create', 'unrecoverable_error_types' => '[]' }.freeze

  # Its error handler gets the record as it was sent: without what remove_keys says.
  def index(label, section, tag, time, record)
    section.known(STORED, *(section.settings.keys - STORED.keys))
    # It drops a record without an id, and tells nobody.
    id = record['_hash'] or return
    record = record.except(*(section['remove_keys'] || '').split(','))
    day = record['@timestamp'] ? Time.iso8601(record['@timestamp']) : time
    record['@timestamp'] ||= time.iso8601(9)
    case @refusals.shift
    when 400 then record.key?('_hash') && fail_over(tag, time, record)
    when nil
      name = "#{section['logstash_prefix']}-#{day.utc.strftime('%Y.%m.%d')}"
      @documents << { index: name, id: id, document: record }
    else record.key?('_hash') && run(label, tag, time, record)
    end
  end

  # In this mode the plugin deletes both keys that it was told, the second is "stream" by default, and tells
  # streams apart by a third.
  def filter_concat(section, tag, time, record)
    section.known({ 'key' => 'cri_text', 'separator' => '""', 'use_partial_cri_logtag' => 'true',
                    'partial_cri_logtag_key' => 'cri_tag', 'stream_identity_key' => 'cri_stream',
                    'use_first_timestamp' => 'true' }, 'flush_interval', 'timeout_label')
    return [time, record] unless record.key?('cri_text')

    parts = @parts[[tag, record['cri_stream']]] << [time, record]
    return [time, nil] if record['cri_tag'] == 'P'

    first_time, first = parts.first
    whole = record.merge(first, 'cri_text' => parts.map { |_, part| part['cri_text'] }.join)
    parts.clear
    [first_time, whole.except('cri_tag', 'stream')]
  end

  # A stand-in: the names are in the tag; labels would come from the Kubernetes API.
  def filter_kubernetes_metadata(section, tag, time, record)
    section.known({}, 'skip_container_metadata', 'skip_master_url', 'skip_namespace_metadata')
    found = /var\.log\.containers\.([^_]+)_([^_]+)_(.+)-([a-z0-9]{64})\.log\z/.match(tag)
    raise "#{tag} is no container's" unless found

    pod, space, container, id = found.captures
    service = pod[/\A\w+-service/] || pod
    names = { 'container_name' => container, 'namespace_name' => space, 'pod_name' => pod,
              'pod_id' => 'a7a2d9f4-0d0e-4a55-9d55-4c0b4c1b2f11', 'pod_ip' => '10.1.2.3', 'host' => 'node-1',
              'labels' => { 'app.kubernetes.io/name' => service, 'app' => service } }
    [time, record.merge('docker' => { 'container_id' => id }, 'kubernetes' => names)]
  end

  def filter_parser(section, tag, time, record)
    section.known({ 'key_name' => 'cri_text', 'reserve_data' => 'true', 'reserve_time' => 'true' },
                  'remove_key_name_field', 'emit_invalid_record_to_error')
    _, parsed = parse(section.child('parse'), record.fetch('cri_text'))
    [time, (section['remove_key_name_field'] == 'true' ? record.except('cri_text') : record).merge(parsed)]
  rescue Unparsed => e
    invalid = section['emit_invalid_record_to_error'] == 'true'
    raise if e.is_a?(BadTime) && invalid

    # Both: what was to be reserved goes on, unless it is its time that is bad.
    fail_over(tag, time, record) if invalid
    [time, e.is_a?(BadTime) ? nil : record]
  end

  def filter_grep(section, _tag, time, record)
    raise 'one exclude is what is known here' unless section.children.map(&:name) == ['exclude']

    rule = section.child('exclude').tap { |r| r.known({}, 'key', 'pattern') }
    [time, regexp(rule['pattern']).match?(record[rule['key']].to_s) ? nil : record]
  end

  def filter_record_transformer(section, tag, time, record)
    section.known({ 'enable_ruby' => 'true' }, 'auto_typecast', 'remove_keys', 'renew_record')
    scope = Scope.new(record, time, tag)
    added = section.child('record').settings.transform_values { |text| scope.expand(text) }
    result = (section['renew_record'] == 'true' ? {} : record).merge(added)
    [time, result.except(*(section['remove_keys'] || '').split(','))]
  end

  # Unless it is told to use a seed, it makes the id up.
  def filter_elasticsearch_genid(section, tag, time, record)
    section.known({ 'hash_id_key' => '_hash', 'use_record_as_seed' => 'true', 'use_entire_record' => 'true',
                    'hash_type' => 'sha256' }, 'include_tag_in_seed', 'include_time_in_seed')
    seed = section['include_tag_in_seed'] == 'true' ? "#{tag}_" : ''
    # fluentd's times print as whole seconds.
    seed += "#{time.to_i}_" if section['include_time_in_seed'] == 'true'
    seed += record.map { |name, value| "|#{name}|#{value}" }.join
    [time, record.merge('_hash' => Digest::SHA256.base64digest(seed))]
  end
end

pipeline = Pipeline.new(read_configuration(ARGV.fetch(0)))
$stdin.each_line do |input|
  entry = JSON.parse(input)
  pipeline.take(entry['tag'], entry['line'].unpack1('m'), entry.fetch('refusals', []))
end
pipeline.documents.each { |document| puts JSON.generate(document) }
