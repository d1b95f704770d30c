-- Neovim, 0.7 or newer, does what its users do in two specs: it waits for findings, takes a fix, formats, completes, renames. What
-- it saw goes to `seen.json`, the files are saved. NODE and MAE name what starts the server.

local seen = {}

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") .. "\n"
end

local function wait_for(what, is)
  if not vim.wait(60000, is, 20) then
    error("waited in vain for " .. what .. ":\n" .. text())
  end
end

-- Puts the cursor on the beginning of a word.
local function cursor_at(words)
  vim.fn.cursor(1, 1)
  assert(vim.fn.search(words, "cW") > 0, "there is no " .. words)
end

local function edit(path)
  vim.cmd("edit " .. path)
  local settings = { name = "mae", cmd = { vim.env.NODE, vim.env.MAE, "lsp" }, root_dir = vim.fn.getcwd() }
  if vim.lsp.start then
    vim.lsp.start(settings)
  else
    client = client or vim.lsp.start_client(settings)
    vim.lsp.buf_attach_client(0, client)
  end
  wait_for("the server", function()
    local clients = vim.lsp.get_clients or vim.lsp.get_active_clients
    local first = clients({ bufnr = 0 })[1]
    return first ~= nil and first.initialized
  end)
end

local function main()
  vim.ui.select = function(items, _, choose)
    choose(items[1], 1)
  end

  edit("base.mae")
  wait_for("a finding", function()
    return #vim.diagnostic.get(0) > 0
  end)
  seen.found = vim.tbl_map(function(one)
    return { message = one.message, line = one.lnum + 1 }
  end, vim.diagnostic.get(0))

  cursor_at("vitt")
  vim.lsp.buf.code_action()
  wait_for("the fix", function()
    return not text():find("vitt")
  end)
  wait_for("no finding", function()
    return #vim.diagnostic.get(0) == 0
  end)

  if vim.lsp.buf.format then
    vim.lsp.buf.format({ async = false, timeout_ms = 60000 })
  else
    vim.lsp.buf.formatting_sync(nil, 60000)
  end
  seen.formatted = text()
  vim.cmd("write")

  edit("child.mae")
  cursor_at("spiral")
  local params = vim.lsp.util.make_position_params(0, "utf-16")
  local answers = vim.lsp.buf_request_sync(0, "textDocument/completion", params, 60000)
  seen.completed = {}
  for _, answer in pairs(answers) do
    for _, item in ipairs(answer.result.items or answer.result) do
      table.insert(seen.completed, item.label)
    end
  end

  cursor_at("Tiny {")
  vim.lsp.buf.rename("Small")
  wait_for("the rename", function()
    return text():find("extends Small") ~= nil
  end)
  vim.cmd("wall")
end

local fine, problem = xpcall(main, debug.traceback)
if not fine then
  seen.problem = problem
end
vim.fn.writefile({ vim.fn.json_encode(seen) }, "seen.json")
vim.cmd("qall!")
