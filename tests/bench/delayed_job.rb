# delayed_job with ActiveRecord, as Debian has it: what the event backbone is measured beside.
#
#   delayed_job.rb URL prepare       its tables
#   delayed_job.rb URL enqueue N     N jobs, each of which writes one row
#   delayed_job.rb URL work          one worker, until there are no jobs; prints begin and end
#
# Its defaults are kept, with the log off. The jobs are enqueued by a multi-row INSERT, which costs it
# nothing here: only working is timed.
require "active_record"
require "delayed_job_active_record"

url, command, count = ARGV
ActiveRecord::Base.establish_connection(url)
ActiveRecord::Base.logger = nil
Delayed::Worker.logger = nil

Effect = Struct.new(:key, :n) do
  def perform
    ActiveRecord::Base.connection.exec_insert(
      "insert into effect (key, n) values ($1, $2)", "effect",
      [ActiveRecord::Relation::QueryAttribute.new("key", key, ActiveRecord::Type::String.new),
       ActiveRecord::Relation::QueryAttribute.new("n", n, ActiveRecord::Type::Integer.new)]
    )
  end
end

def prepare
  connection = ActiveRecord::Base.connection
  connection.create_table :delayed_jobs do |t| # as its generator's template
    t.integer :priority, default: 0, null: false
    t.integer :attempts, default: 0, null: false
    t.text :handler, null: false
    t.text :last_error
    t.datetime :run_at
    t.datetime :locked_at
    t.datetime :failed_at
    t.string :locked_by
    t.string :queue
    t.timestamps null: true
  end
  connection.add_index :delayed_jobs, [:priority, :run_at], name: "delayed_jobs_priority"
  connection.execute("create table effect (seq bigserial primary key, key text, n bigint)")
end

def enqueue(count)
  now = Time.now
  (0...count).each_slice(1000) do |slice|
    rows = slice.map do |n|
      { handler: Delayed::PerformableMethod.new(Effect.new("k-#{n % 1000}", n), :perform, []).to_yaml,
        run_at: now, created_at: now, updated_at: now }
    end
    Delayed::Job.insert_all(rows)
  end
end

case command
when "prepare" then prepare
when "enqueue" then enqueue(count.to_i)
when "work"
  worker = Delayed::Worker.new(exit_on_complete: true, quiet: true)
  started = Time.now.to_f
  worker.start
  puts "#{started} #{Time.now.to_f}"
else abort "usage: delayed_job.rb URL prepare|enqueue N|work"
end
