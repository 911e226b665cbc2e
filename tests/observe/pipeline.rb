# frozen_string_literal: true

# Runs log lines through fluentd's configuration without fluentd: the routing, and the regular
# expressions, JSON parsing and record transforms of the very file. Its plugins are not in
# Debian, so their rules are written down below from their documentation; a plugin or a parameter that
# is not known here is an error. What stays untested is fluentd itself: tailing, buffers, the network.
#
#	ruby pipeline.rb FLUENT_CONF < lines > documents
#
# in:  {"tag": "kubernetes.var.log.containers.….log", "line": the bytes in base64}, one a line;
#      "refusals": [429, 400] where Elasticsearch refuses the line's document with these, one after the other
# out: {"index": "kubernetes-2026.01.31", "id": "…", "document": {…}}

require 'digest'
require 'json'
require 'securerandom'
require 'time'

Section = Struct.new(:name, :argument, :settings, :children) do
  def [](key)
    settings[key]
  end

  def flag?(key)
    settings[key] == 'true'
  end

  def child(wanted)
    children.find { |c| c.name == wanted }
  end
end

def read_configuration(path)
  root = Section.new('', nil, {}, [])
  open = [root]
  File.foreach(path, chomp: true) do |line|
    case line.strip
    when '', /\A#/ then next
    when %r{\A</(\w+)>\z}
      raise "#{line}: closes nothing" unless open.last.name == Regexp.last_match(1)

      open.pop
    when /\A<(\w+)(?: (.+))?>\z/
      section = Section.new(Regexp.last_match(1), Regexp.last_match(2), {}, [])
      open.last.children << section
      open << section
    when /\A(\S+) (.+)\z/
      raise "#{line}: twice" if open.last.settings.key?(Regexp.last_match(1))

      open.last.settings[Regexp.last_match(1)] = Regexp.last_match(2)
    else raise "not understood: #{line}"
    end
  end
  raise "#{open.last.name}: not closed" unless open.size == 1

  root
end

# fluentd's tag patterns: * is one part, a.** is a and all below it, {a,b} either.
def pattern_matches?(pattern, tag)
  source = Regexp.escape(pattern).gsub('\{', '(?:').gsub('\}', ')').gsub(',', '|')
  source = source.gsub('\.\*\*', '(?:\..+)?').gsub('\*\*', '.*').gsub('\*', '[^.]+')
  /\A#{source}\z/.match?(tag)
end

def regexp(text)
  raise "no regular expression: #{text}" unless text =~ %r{\A/(.*)/(m?)\z}m

  Regexp.new(Regexp.last_match(1), Regexp.last_match(2) == 'm' ? Regexp::MULTILINE : 0)
end

def allow(section, *keys)
  unknown = section.settings.keys - keys - ['@type', '@id']
  return if unknown.empty?

  raise "#{section.name} #{section['@type']}: #{unknown.join(', ')} is not known here"
end

# It has not the form at all; it has, but its time is none.
class Unparsed < StandardError; end
class BadTime < Unparsed; end

# [time or nil, record]
def parse(rules, text)
  allow(rules, 'expression', 'time_type', 'time_key', 'time_format', 'keep_time_key', 'types')
  record = rules['@type'] == 'json' ? parse_json(text) : parse_regexp(rules, text)
  key = rules['time_key'] || 'time'
  return [nil, record] unless record.key?(key)

  value = rules.flag?('keep_time_key') ? record[key] : record.delete(key)
  [parse_time(rules, value), record]
end

def parse_json(text)
  record = JSON.parse(text)
  raise Unparsed, 'no object' unless record.is_a?(Hash)

  record
rescue JSON::ParserError => e
  raise Unparsed, e.message
end

def parse_regexp(rules, text)
  found = regexp(rules['expression']).match(text) or raise Unparsed, 'does not match'
  record = found.named_captures.compact
  (rules['types'] || '').split(',').each do |entry|
    name, type = entry.split(':')
    raise "type #{type} is not known here" unless type == 'integer'

    record[name] = record[name].to_i if record.key?(name)
  end
  record
end

def parse_time(rules, value)
  # A number is what the JSON parser expects unless it is told otherwise.
  return Time.at(value) if value.is_a?(Numeric) && rules['time_type'] != 'string'
  raise BadTime, "time is no text: #{value}" unless value.is_a?(String)

  rules['time_format'] == '%iso8601' ? Time.iso8601(value) : Time.strptime(value, rules['time_format'])
rescue ArgumentError => e
  raise BadTime, e.message
end

# Expressions of record_transformer see these names.
class Scope
  attr_reader :record, :time, :tag

  def initialize(record, time, tag)
    @record = record
    @time = time
    @tag = tag
  end

  # A value that is one placeholder keeps its type.
  def expand(text)
    return text unless text.include?('${')
    raise "more than one placeholder: #{text}" unless text.scan('${').size == 1 && text =~ /\A\$\{(.+)\}\z/

    instance_eval(Regexp.last_match(1))
  end
end

class Pipeline
  attr_reader :documents

  def initialize(root)
    @root = root
    @labels = configure(root)
    @source = root.child('source')
    @parts = Hash.new { |hash, key| hash[key] = [] }
    @documents = []
  end

  def take(tag, line, refusals)
    @refusals = refusals
    time, record = begin
      parse(@source.child('parse'), line)
    rescue Unparsed
      raise unless @source.flag?('emit_unmatched_lines')

      [Time.now, { 'unmatched_line' => line }]
    end
    run(@root, tag, time, record)
  end

  private

  # fluentd knows all labels but @ERROR before it configures the first plugin, and adds that one when it
  # has configured the plugins of all others (root_agent.rb, configure).
  def configure(root)
    labels = root.children.select { |c| c.name == 'label' }
    twice = labels.map(&:argument).tally.find { |_, count| count > 1 }
    raise "Section <label #{twice.first}> appears twice" if twice

    labels = labels.to_h { |c| [c.argument, c] }
    error_label = labels['@ERROR']
    known = labels.keys - ['@ERROR']
    labels.each_value { |label| find_labels(label, known) unless label == error_label }
    [error_label, root].compact.each { |section| find_labels(section, labels.keys) }
    labels
  end

  def find_labels(parent, known)
    parent.children.reject { |c| c.name == 'label' }.each do |plugin|
      [plugin['@label'], plugin['timeout_label']].compact.each do |name|
        raise "#{name} label not found" unless known.include?(name)
      end
    end
  end

  def run(label, tag, time, record)
    label.children.each do |section|
      next unless %w[filter match].include?(section.name) && pattern_matches?(section.argument, tag)
      return deliver(label, section, tag, time, record) if section.name == 'match'

      time, record = send("filter_#{section['@type']}", section, tag, time, record)
      return if record.nil?
    end
    raise "#{tag} leads nowhere"
  rescue Unparsed
    fail_over(tag, time, record)
  end

  def fail_over(tag, time, record)
    run(@labels.fetch('@ERROR'), tag, time, record)
  end

  def deliver(label, section, tag, time, record)
    case section['@type']
    when 'relabel' then run(@labels.fetch(section['@label']), tag, time, record)
    when 'rewrite_tag_filter' then rewrite(label, section, tag, time, record)
    when 'elasticsearch' then index(label, section, tag, time, record)
    else raise "#{section['@type']} is not known here"
    end
  end

  def rewrite(label, section, tag, time, record)
    rule = section.children.find do |r|
      allow(r, 'key', 'pattern', 'tag')
      regexp(r['pattern']).match?(record[r['key']].to_s)
    end
    run(label, rule['tag'].sub('${tag}', tag), time, record) if rule
  end

  def index(label, section, tag, time, record)
    raise 'the index is not by day' unless section.flag?('logstash_format') && section.flag?('utc_index')

    record = record.dup
    id = id_of(section, record)
    # The plugin drops it, and tells nobody.
    return unless id

    (section['remove_keys'] || '').split(',').each { |key| record.delete(key) }
    day = record['@timestamp'] ? Time.iso8601(record['@timestamp']) : time
    record['@timestamp'] ||= time.iso8601(9)
    return refuse(label, section, tag, time, record) unless @refusals.empty?

    name = "#{section['logstash_prefix']}-#{day.utc.strftime('%Y.%m.%d')}"
    @documents << { index: name, id: id, document: record }
  end

  def id_of(section, record)
    raise 'what has no id is dropped' unless section['write_operation'] == 'create'

    record[section['id_key']]
  end

  # The plugin's error handler gets the record as it was sent: without what remove_keys says.
  def refuse(label, section, tag, time, record)
    return unless id_of(section, record)
    return fail_over(tag, time, record) if @refusals.shift == 400

    # A full queue. Unless it is told otherwise, the plugin gives up the whole chunk.
    raise 'the chunk is given up' unless section['unrecoverable_error_types'] == '[]'

    run(label, tag, time, record)
  end

  # In this mode the plugin deletes both keys that it was told, and tells streams apart by a third.
  def filter_concat(section, tag, time, record)
    allow(section, 'key', 'separator', 'use_partial_cri_logtag', 'partial_cri_logtag_key', 'partial_cri_stream_key',
          'stream_identity_key', 'use_first_timestamp', 'flush_interval', 'timeout_label')
    raise 'parts are put together with nothing between them' unless section['separator'] == '""'

    key = section['key']
    return [time, record] unless record.key?(key)

    parts = @parts[[tag, record[section['stream_identity_key']]]]
    parts << [time, record]
    return [time, nil] if record[section['partial_cri_logtag_key']] == 'P'

    first_time, first = parts.first
    whole = record.merge(first, key => parts.map { |_, part| part[key] }.join)
    parts.clear
    whole.delete(section['partial_cri_logtag_key'])
    whole.delete(section['partial_cri_stream_key'] || 'stream')
    [section.flag?('use_first_timestamp') ? first_time : time, whole]
  end

  # A stand-in: the names are in the tag; labels would come from the Kubernetes API.
  def filter_kubernetes_metadata(section, tag, time, record)
    allow(section, 'skip_container_metadata', 'skip_master_url', 'skip_namespace_metadata')
    names = /var\.log\.containers\.(?<pod>[^_]+)_(?<space>[^_]+)_(?<container>.+)-(?<id>[a-z0-9]{64})\.log\z/
    found = names.match(tag)
    raise "#{tag} is no container's" unless found

    service = found[:pod][/\A\w+-service/] || found[:pod]
    [time, record.merge(
      'docker' => { 'container_id' => found[:id] },
      'kubernetes' => {
        'container_name' => found[:container], 'namespace_name' => found[:space],
        'pod_name' => found[:pod], 'pod_id' => 'a7a2d9f4-0d0e-4a55-9d55-4c0b4c1b2f11',
        'pod_ip' => '10.1.2.3', 'host' => 'node-1',
        'labels' => { 'app.kubernetes.io/name' => service, 'app' => service }
      }
    )]
  end

  def filter_parser(section, tag, time, record)
    allow(section, 'key_name', 'reserve_data', 'reserve_time', 'remove_key_name_field',
          'emit_invalid_record_to_error')
    key = section['key_name']
    begin
      parsed_time, parsed = parse(section.child('parse'), record.fetch(key))
    rescue BadTime
      raise if section.flag?('emit_invalid_record_to_error')

      return [time, nil]
    rescue Unparsed
      # Both: what was to be reserved goes on.
      fail_over(tag, time, record) if section.flag?('emit_invalid_record_to_error')
      return [time, section.flag?('reserve_data') ? record : nil]
    end
    rest = section.flag?('reserve_data') ? record : {}
    rest = rest.reject { |name, _| name == key } if section.flag?('remove_key_name_field')
    [section.flag?('reserve_time') ? time : parsed_time || time, rest.merge(parsed)]
  end

  def filter_grep(section, _tag, time, record)
    raise 'one exclude is what is known here' unless section.children.map(&:name) == ['exclude']

    rule = section.child('exclude')
    allow(rule, 'key', 'pattern')
    [time, regexp(rule['pattern']).match?(record[rule['key']].to_s) ? nil : record]
  end

  def filter_record_transformer(section, tag, time, record)
    allow(section, 'enable_ruby', 'auto_typecast', 'remove_keys', 'renew_record')
    scope = Scope.new(record, time, tag)
    added = section.child('record').settings.transform_values { |text| scope.expand(text) }
    result = (section.flag?('renew_record') ? {} : record).merge(added)
    [time, result.reject { |key, _| (section['remove_keys'] || '').split(',').include?(key) }]
  end

  def filter_elasticsearch_genid(section, tag, time, record)
    allow(section, 'hash_id_key', 'use_record_as_seed', 'use_entire_record', 'include_tag_in_seed',
          'include_time_in_seed', 'hash_type')
    raise 'the seed is the entire record here' unless section.flag?('use_entire_record')

    seed = +''
    seed << tag << '_' if section.flag?('include_tag_in_seed')
    # fluentd's times print as whole seconds.
    seed << time.to_i.to_s << '_' if section.flag?('include_time_in_seed')
    record.each { |name, value| seed << "|#{name}|#{value}" }
    # Unless it is told to use a seed, the plugin makes the id up.
    seed = SecureRandom.uuid unless section.flag?('use_record_as_seed')
    [time, record.merge(section['hash_id_key'] => Digest::SHA256.base64digest(seed))]
  end
end

pipeline = Pipeline.new(read_configuration(ARGV.fetch(0)))
$stdin.each_line do |input|
  entry = JSON.parse(input)
  pipeline.take(entry['tag'], entry['line'].unpack1('m'), entry.fetch('refusals', []))
end
pipeline.documents.each { |document| puts JSON.generate(document) }
